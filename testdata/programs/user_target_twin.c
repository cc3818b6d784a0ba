/* SPDX-License-Identifier: MIT
 *
 * The other file of user_target: it has a static function `twin` of its own.
 */
static __attribute__((noipa)) long twin(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

long twin_of_other_file(long n)
{
	return twin(n);
}
