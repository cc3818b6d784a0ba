/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * The programs of usdt.bpf.c, with specs laid out as before libbpf 1.7; Linux 5.10.
 */
#define USDT_OLD_LAYOUT
#include "usdt.bpf.c"
