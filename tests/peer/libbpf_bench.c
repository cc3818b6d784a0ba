/* SPDX-License-Identifier: MIT
 *
 * What libbpf needs for work that our benches measure, in the same process and with the same objects. One figure a line:
 * "name nanoseconds". scripts/build_peers.ts builds it.
 *
 *	libbpf-bench ring OBJECT MAP COUNT ROUNDS
 *		The program `fill` of OBJECT writes COUNT records into the ring buffer MAP, each beginning with its 64-bit
 *		number; then they are read by ring_buffer__consume(), with a callback that adds up the numbers: nanoseconds
 *		a record, for each round.
 *
 *	libbpf-bench wait MAP_ID SECONDS
 *		ring_buffer__poll() on the ring buffer of that id, whose records begin with the CLOCK_MONOTONIC time of their
 *		sending: "events N", "polls N" (that found any), "p50" and "p99" nanoseconds from sending to the callback, "cpu"
 *		nanoseconds of this process.
 *
 *	libbpf-bench send PROG_ID PER_SECOND SECONDS
 *		Runs the raw_tp program of that id so often.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

#define MOST_EVENTS (1 << 22)

static double *latencies;
static int events;

static int note_latency(void *context, void *data, size_t size)
{
	if (events < MOST_EVENTS)
		latencies[events++] = now() - *(unsigned long long *)data;
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

static int wait_for(unsigned int id, double seconds)
{
	struct ring_buffer *buffer = ring_buffer__new(bpf_map_get_fd_by_id(id), note_latency, NULL, NULL);
	double end, began;
	int polls = 0;

	latencies = calloc(MOST_EVENTS, sizeof(*latencies));
	if (!buffer || !latencies)
		return fail("ring buffer");
	end = now() + seconds * 1e9;
	began = cpu();
	while (now() < end)
		polls += ring_buffer__poll(buffer, 100) > 0;
	began = cpu() - began;
	qsort(latencies, events, sizeof(*latencies), compare);
	printf("events %d\npolls %d\np50 %.0f\np99 %.0f\ncpu %.0f\n", events, polls, events ? latencies[events / 2] : 0,
	       events ? latencies[events * 99LL / 100] : 0, began);
	return 0;
}

static int send_at(unsigned int id, double rate, double seconds)
{
	int fd = bpf_prog_get_fd_by_id(id);
	unsigned long long args[2] = {};
	double next = now(), end = next + seconds * 1e9;

	for (; next < end; next += 1e9 / rate) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = args, .ctx_size_in = sizeof(args));

		/* Sleeping is not exact enough for short pauses. */
		if (rate <= 2000) {
			struct timespec time = { .tv_sec = next / 1e9, .tv_nsec = (long long)next % 1000000000 };

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
		}
		while (now() < next)
			;
		if (bpf_prog_test_run_opts(fd, &options))
			return fail("run");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "ring"))
		return ring(argv[2], argv[3], strtoull(argv[4], NULL, 10), atoi(argv[5]));
	if (argc == 4 && !strcmp(argv[1], "wait"))
		return wait_for(strtoul(argv[2], NULL, 10), atof(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_at(strtoul(argv[2], NULL, 10), atof(argv[3]), atof(argv[4]));
	fprintf(stderr, "usage: libbpf-bench ring OBJECT MAP COUNT ROUNDS | wait MAP_ID SECONDS | send PROG_ID PER_SECOND SECONDS\n");
	return 2;
}
