/* SPDX-License-Identifier: MIT
 *
 * libbpf's static linker as a command, newer than that of Debian's bpftool: libbpf-link OUT IN...
 * Exit code 0, or 1 after libbpf's own words on stderr. scripts/build_peers.ts builds it.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_linker *linker;
	int err;

	if (argc < 3) {
		fprintf(stderr, "usage: %s OUT IN...\n", argv[0]);
		return 2;
	}
	linker = bpf_linker__new(argv[1], NULL);
	err = linker ? 0 : -1;
	for (int i = 2; !err && i < argc; i++)
		err = bpf_linker__add_file(linker, argv[i], NULL);
	if (!err)
		err = bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	if (err)
		unlink(argv[1]);
	return err ? 1 : 0;
}
