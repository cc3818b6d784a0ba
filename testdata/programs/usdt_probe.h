/* SPDX-License-Identifier: MIT
 *
 * Declares a USDT probe: a nop, and a note that says where it is and where its arguments are. What <sys/sdt.h> does, for
 * programs that are built without it. Source: systemtap's wiki, UserSpaceProbeImplementation.
 *
 * USDT(provider, name, semaphore, arguments, operands...): `semaphore` is a symbol or 0; `arguments` is the note's text, in which
 * %[x] is replaced by where operand x is.
 */
#ifndef USDT_PROBE_H
#define USDT_PROBE_H

#define USDT(provider, name, semaphore, arguments, ...)                                                                \
	__asm__ volatile("990: nop\n"                                                                                  \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n"                                                  \
			 ".balign 4\n"                                                                                 \
			 ".4byte 992f-991f, 994f-993f, 3\n"                                                            \
			 "991: .asciz \"stapsdt\"\n"                                                                   \
			 "992: .balign 4\n"                                                                            \
			 "993: .8byte 990b\n"                                                                          \
			 ".8byte _.stapsdt.base\n"                                                                     \
			 ".8byte " #semaphore "\n"                                                                     \
			 ".asciz \"" #provider "\"\n"                                                                  \
			 ".asciz \"" #name "\"\n"                                                                      \
			 ".asciz \"" arguments "\"\n"                                                                  \
			 "994: .balign 4\n"                                                                            \
			 ".popsection\n"                                                                               \
			 ".ifndef _.stapsdt.base\n"                                                                    \
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"                       \
			 ".weak _.stapsdt.base\n"                                                                      \
			 ".hidden _.stapsdt.base\n"                                                                    \
			 "_.stapsdt.base: .space 1\n"                                                                  \
			 ".size _.stapsdt.base, 1\n"                                                                   \
			 ".popsection\n"                                                                               \
			 ".endif\n"                                                                                    \
			 :                                                                                             \
			 : __VA_ARGS__                                                                                 \
			 : "memory")

#endif
