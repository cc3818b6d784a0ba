/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A made-up kernel with two structs of the same essential name, as a kernel and its modules may have: `id` is at the
 * same offset in both, `name` is not, so a relocation of `name` has no one answer and the load has to fail.
 */
struct widget {
	int id; /* 0 */
	char name[8]; /* 4 */
};

struct widget___other {
	int id; /* 0 */
	int padding;
	char name[8]; /* 8 */
};

struct widget widget;
struct widget___other other;
