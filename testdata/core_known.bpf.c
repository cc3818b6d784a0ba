/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * CO-RE against made-up kernels whose layouts are known: targets/known_old.c and targets/known_new.c. The programs are
 * relocated only, never loaded. What the immediate of each slot's instruction becomes:
 *
 *  slot  what it asks for               known_old  known_new
 *     0  offset of id                           0  160
 *     1  offset of name[3]                      7  3
 *     2  size of flags                          4  1
 *     3  left shift of flags                   60  61
 *     4  right shift of flags                  61  61
 *     5  mode is signed                         1  1
 *     6  left shift of mode                    55  56
 *     7  offset of small                       16  40
 *     8  offset of parts[1].weight             36  96
 *     9  parts[1] exists                        1  1
 *    10  parts[3] exists                        0  1
 *    11  offset of tail[5]                     77  173
 *    12  color exists                           0  1
 *    13  value of LARGE                         5  0x1122334455667788
 *    14  value of NEGATIVE                     -7  -8
 *    15  size of struct widget                 72  168
 *    16  offset of [2].id                     144  496
 *    17  matrix[1][2] exists                    1  1
 *    18  offset of matrix[1][2]                66  62
 *    19  ratio exists (float, double)           1  1
 *    20  owner exists (pointer, int)            1  0
 *    21  offset of owner                       40  poisoned
 *    22  size of mode                           4  1
 *    23  gone exists                            1  0
 *    24  level_t exists                         1  1
 *    25  LARGE exists                           1  1
 *
 * access, by instruction: `small` is loaded as u32 from 16, as u64 from 40; `id` is stored as u32 to 0, poisoned (int
 * against long); parts[1].weight is loaded as u16 from 36, from 96; `big` is stored as u64 to 16, as u8 to 40; matrix[0]
 * is at 56, at 48; name[2] is loaded as u8 from 6, from 2.
 */
#include "debpf_test.h"

u64 results[32];

struct part {
	u32 serial;
	u16 weight;
} KERNEL;

struct widget {
	u64 local_only;
	char name[8];
	int id;
	u32 flags : 3;
	s32 mode : 5;
	union {
		u64 big;
		u32 small;
	};
	struct part parts[4];
	void *owner;
	float ratio;
	u16 matrix[2][3];
	u32 color;
	u32 gone;
	u8 tail[];
} KERNEL;

typedef unsigned int level_t;

enum grade {
	NEGATIVE = -1,
	LARGE = 1,
};

#define KEEP(slot, value) (results[slot] = (value))

SEC("raw_tp")
int known(void *ctx)
{
	struct widget *widget = 0;

	KEEP(0, core_field(widget->id, FIELD_BYTE_OFFSET));
	KEEP(1, core_field(widget->name[3], FIELD_BYTE_OFFSET));
	KEEP(2, core_field(widget->flags, FIELD_BYTE_SIZE));
	KEEP(3, core_field(widget->flags, FIELD_LSHIFT_U64));
	KEEP(4, core_field(widget->flags, FIELD_RSHIFT_U64));
	KEEP(5, core_field(widget->mode, FIELD_SIGNED));
	KEEP(6, core_field(widget->mode, FIELD_LSHIFT_U64));
	KEEP(7, core_field(widget->small, FIELD_BYTE_OFFSET));
	KEEP(8, core_field(widget->parts[1].weight, FIELD_BYTE_OFFSET));
	KEEP(9, core_field(widget->parts[1], FIELD_EXISTS));
	KEEP(10, core_field(widget->parts[3], FIELD_EXISTS));
	KEEP(11, core_field(widget->tail[5], FIELD_BYTE_OFFSET));
	KEEP(12, core_field(widget->color, FIELD_EXISTS));
	KEEP(13, core_enum_value(enum grade, LARGE));
	KEEP(14, core_enum_value(enum grade, NEGATIVE));
	KEEP(15, core_type_size(struct widget));
	KEEP(16, core_field(widget[2].id, FIELD_BYTE_OFFSET));
	KEEP(17, core_field(widget->matrix[1][2], FIELD_EXISTS));
	KEEP(18, core_field(widget->matrix[1][2], FIELD_BYTE_OFFSET));
	KEEP(19, core_field(widget->ratio, FIELD_EXISTS));
	KEEP(20, core_field(widget->owner, FIELD_EXISTS));
	KEEP(21, core_field(widget->owner, FIELD_BYTE_OFFSET));
	KEEP(22, core_field(widget->mode, FIELD_BYTE_SIZE));
	KEEP(23, core_field(widget->gone, FIELD_EXISTS));
	KEEP(24, core_type_exists(level_t));
	KEEP(25, core_enum_exists(enum grade, LARGE));
	return 0;
}

/* Loads and stores, to be patched in place: width and offset. */
SEC("raw_tp")
int access(struct widget *widget)
{
	widget->id = widget->small;
	widget->big = widget->parts[1].weight;
	widget->matrix[0][1] = 7;
	return widget->name[2];
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
