/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * The made-up kernel of known_old.c some versions later: members moved, grew, shrank, came and went.
 */
typedef unsigned int level_t;

struct part {
	unsigned short weight; /* 0 */
	unsigned char color;
	unsigned int serial; /* 4, size 8 */
};

struct widget {
	char name[32]; /* 0 */
	struct {
		struct {
			unsigned char flags : 3; /* bits 256..258 */
			signed char mode : 5; /* bits 259..263 */
		};
		unsigned int color; /* 36 */
		union {
			unsigned long small; /* 40 */
			unsigned char big; /* 40 */
		};
	};
	unsigned short matrix[4][5]; /* 48 */
	struct part parts[8]; /* 88 */
	float ratio; /* 152 */
	int owner; /* 156 */
	long id; /* 160 */
	unsigned char tail[]; /* 168, size 168 */
};

/* A value that needs 64 bits: ENUM64. */
enum grade {
	NEGATIVE = -8,
	LARGE = 0x1122334455667788,
};

struct widget widget;
enum grade grade;
level_t level;
