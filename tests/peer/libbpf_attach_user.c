/* SPDX-License-Identifier: MIT
 *
 * What libbpf attaches to in user programs: libbpf-attach-user OBJECT PROGRAM SECTION [COOKIE]. The program is attached as its
 * section name SECTION says: uprobe/..., uretprobe/..., uprobe.multi/..., usdt/... COOKIE is that of a USDT probe. Printed are
 * JSON lines: the id of each link of the program {"link"}, then of each element of the map __bpf_usdt_specs that is in use
 * {"spec","value"} in hexadecimal digits, then {"end"}. It detaches when its standard input ends. Exit code 0, or 1 after libbpf's own
 * words on stderr.
 * scripts/build_peers.ts builds it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_specs(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "__bpf_usdt_specs");
	static unsigned char value[4096];

	if (!map || bpf_map__value_size(map) > sizeof(value))
		return;
	for (int id = 0; id < (int)bpf_map__max_entries(map); id++) {
		int used = 0;

		bpf_map_lookup_elem(bpf_map__fd(map), &id, value);
		for (unsigned i = 0; i < bpf_map__value_size(map); i++)
			used |= value[i];
		if (!used)
			continue;
		printf("{\"spec\":%d,\"value\":\"", id);
		for (unsigned i = 0; i < bpf_map__value_size(map); i++)
			printf("%02x", value[i]);
		printf("\"}\n");
	}
}

/* libbpf's own link of a USDT probe has no file descriptor. */
static void print_links(struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info), id = 0;

	bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &length);
	while (!bpf_link_get_next_id(id, &id)) {
		int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info link = {};
		__u32 size = sizeof(link);

		if (fd < 0)
			continue;
		if (!bpf_link_get_info_by_fd(fd, &link, &size) && link.prog_id == info.id)
			printf("{\"link\":%u}\n", id);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program, *wanted;
	struct bpf_link *link;

	if (argc < 4) {
		fprintf(stderr, "usage: %s OBJECT PROGRAM SECTION [COOKIE]\n", argv[0]);
		return 2;
	}
	object = bpf_object__open(argv[1]);
	if (!object)
		return 1;
	wanted = bpf_object__find_program_by_name(object, argv[2]);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, program == wanted);
	if (!wanted || bpf_object__load(object))
		return 1;
	if (!strncmp(argv[3], "usdt/", 5)) {
		char *path = strtok(argv[3] + 5, ":"), *provider = strtok(NULL, ":"), *name = strtok(NULL, ":");
		LIBBPF_OPTS(bpf_usdt_opts, options, .usdt_cookie = argc > 4 ? strtoull(argv[4], NULL, 0) : 0);

		link = bpf_program__attach_usdt(wanted, -1, path, provider, name, &options);
	} else if (strstr(argv[3], ".multi/")) {
		LIBBPF_OPTS(bpf_uprobe_multi_opts, options, .retprobe = argv[3][1] == 'r');
		char *path = strtok(strchr(argv[3], '/') + 1, ":");

		link = bpf_program__attach_uprobe_multi(wanted, -1, path, strtok(NULL, ":"), &options);
	} else {
		LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = argv[3][1] == 'r');
		char *path = strtok(strchr(argv[3], '/') + 1, ":");

		options.func_name = strtok(NULL, ":");
		link = bpf_program__attach_uprobe_opts(wanted, -1, path, 0, &options);
	}
	if (!link)
		return 1;
	print_links(wanted);
	print_specs(object);
	puts("{\"end\":true}");
	fflush(stdout);
	getchar();
	bpf_link__destroy(link);
	bpf_object__close(object);
	return 0;
}
