/* SPDX-License-Identifier: MIT
 *
 * A program to be traced. For each line with a number n on its standard input it calls, once each:
 *
 *   target_add(n, 2 * n)    returns 3 * n      target_length("n=<n>")  returns the text's length
 *   target_weak(n)                             target_twice(n)         calls target_leaf(n) and target_leaf(n + 1)
 *   twin(n)                 of two files: each has a static function of this name
 *
 * and passes these probes:
 *
 *   user:simple(-4 n in a register, 8 2n in memory, -4 constant -7, 1 low byte of n in a register)
 *   user:many   three places: (4 n in a register), (4 n + 1 in a register of its own), (-4 constant 5)
 *   user:counted  with a semaphore: (-8 n in memory)
 *   user:indexed(-4 table[n & 3] at base and index), only on x86_64; table is 100, 200, 300, 400
 *   user:empty  without arguments
 *
 * Then it prints `<n> <value of the semaphore>`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usdt_probe.h"

/* Called as written, however little it does. */
#define NOINLINE __attribute__((noipa))

__attribute__((section(".probes"), used)) volatile unsigned short user_counted_semaphore;

long twin_of_other_file(long n);

NOINLINE long target_add(long a, long b)
{
	__asm__ volatile("" : "+r"(a));
	return a + b;
}

NOINLINE long target_length(const char *text)
{
	return strlen(text);
}

NOINLINE __attribute__((weak)) long target_weak(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

NOINLINE long target_leaf(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

NOINLINE long target_twice(long n)
{
	return target_leaf(n) + target_leaf(n + 1);
}

static NOINLINE long twin(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

NOINLINE void target_probes(int n)
{
	volatile long twice = 2L * n, all = n;
	static int table[4] = { 100, 200, 300, 400 };

#if defined(__x86_64__)
	USDT(user, simple, 0, "-4@%k[n] 8@%[twice] -4@$-7 1@%b[low]", [n] "r"(n), [twice] "m"(twice), [low] "q"(n));
	USDT(user, many, 0, "4@%%eax", "a"(n));
	USDT(user, many, 0, "4@%%ebx", "b"(n + 1));
	USDT(user, many, 0, "-4@$5", "a"(n));
	USDT(user, many, 0, "4@%%eax", "a"(n));
	USDT(user, indexed, 0, "-4@(%%rdx,%%rcx,4)", "d"(table), "c"((long)(n & 3)));
#elif defined(__aarch64__)
	USDT(user, simple, 0, "-4@%w[n] 8@%[twice] -4@-7 1@%w[low]", [n] "r"(n), [twice] "m"(twice), [low] "r"(n));
	USDT(user, many, 0, "4@%w[n]", [n] "r"(n));
	USDT(user, many, 0, "4@%w[n]", [n] "r"(n + 1));
	USDT(user, many, 0, "-4@5", [n] "r"(n));
	USDT(user, many, 0, "4@%w[n]", [n] "r"(n));
#endif
	USDT(user, counted, user_counted_semaphore, "-8@%[all]", [all] "m"(all), "m"(table));
	USDT(user, empty, 0, "", "m"(all));
}

int main(void)
{
	char line[64], text[64];

	while (fgets(line, sizeof(line), stdin)) {
		long n = atol(line);

		snprintf(text, sizeof(text), "n=%ld", n);
		target_add(n, 2 * n);
		target_length(text);
		target_weak(n);
		target_twice(n);
		twin(n);
		twin_of_other_file(n);
		target_probes(n);
		printf("%ld %u\n", n, user_counted_semaphore);
		fflush(stdout);
	}
	return 0;
}
