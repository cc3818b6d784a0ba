/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * A made-up kernel for core_known.bpf.c: only its BTF is kept (known_old.btf). Offsets are in the comments.
 */
typedef unsigned int level_t;

struct part {
	unsigned int serial; /* 0 */
	unsigned short weight; /* 4, size 8 */
};

struct widget {
	int id; /* 0 */
	char name[8]; /* 4 */
	unsigned int not_asked_for : 1; /* bit 96 */
	unsigned int flags : 3; /* bits 97..99 */
	int mode : 5; /* bits 100..104 */
	union {
		unsigned long long big; /* 16 */
		unsigned int small; /* 16 */
	};
	struct part parts[2]; /* 24 */
	struct widget *owner; /* 40 */
	double ratio; /* 48 */
	unsigned short matrix[2][3]; /* 56 */
	unsigned int gone; /* 68 */
	unsigned char tail[]; /* 72, size 72 */
};

enum grade {
	NEGATIVE = -7,
	LARGE = 5,
};

struct widget widget;
enum grade grade;
level_t level;
