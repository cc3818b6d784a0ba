/* SPDX-License-Identifier: MIT
 *
 * What libbpf needs for work that our benches measure, in the same process and with the same objects. One figure a line:
 * "name nanoseconds". scripts/build_peers.ts builds it.
 *
 *	libbpf-bench ring OBJECT MAP COUNT ROUNDS
 *		The program `fill` of OBJECT writes COUNT records into the ring buffer MAP, each beginning with its 64-bit
 *		number; then they are read by ring_buffer__consume(), with a callback that adds up the numbers: nanoseconds
 *		a record, for each round.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fill_args {
	unsigned long long count;
	unsigned long long dropped;
};

static unsigned long long sum;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int add(void *context, void *data, size_t size)
{
	sum += *(unsigned long long *)data;
	return 0;
}

static int ring(const char *path, const char *map, unsigned long long count, int rounds)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *fill;
	struct ring_buffer *buffer;

	if (!object || bpf_object__load(object))
		return fail("load");
	fill = bpf_object__find_program_by_name(object, "fill");
	buffer = ring_buffer__new(bpf_object__find_map_fd_by_name(object, map), add, NULL, NULL);
	if (!fill || !buffer)
		return fail("fill, or its ring buffer");
	for (int round = 0; round < rounds; round++) {
		struct fill_args args = { .count = count };
		LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &args, .ctx_size_in = sizeof(args));
		double began;
		int read;

		if (bpf_prog_test_run_opts(bpf_program__fd(fill), &options) || args.dropped)
			return fail("run");
		sum = 0;
		began = now();
		read = ring_buffer__consume(buffer);
		printf("consume %.3f\n", (now() - began) / read);
		if (read != count || sum != count * (count - 1) / 2) {
			fprintf(stderr, "read %d of %llu records\n", read, count);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "ring"))
		return ring(argv[2], argv[3], strtoull(argv[4], NULL, 10), atoi(argv[5]));
	fprintf(stderr, "usage: libbpf-bench ring OBJECT MAP COUNT ROUNDS\n");
	return 2;
}
