/* libbpf-oracle OBJECT.o [TARGET.btf]: what libbpf would hand to bpf(2), as JSON lines; nothing of the object is loaded.
 *
 *   deno run -A scripts/build_peers.ts     (with Debian's newest libbpf.a; gcc ... -lbpf gives Debian 12's 1.1, which differs)
 *
 * Lines: btf, map, data (initial values), prog (insns, func_info, line_info in hex; map_refs name the map behind an fd), prog_error, end.
 * Exit 0: every program printed. 1: a program failed, or the object did not open. 2: usage.
 * Map fds in insns are this process's: mask the imm at map_refs. attach_btf_id, ksym, kfunc and kconfig values come from the running kernel;
 * TARGET serves CO-RE only. Updates of map-in-map, prog-array and struct_ops are swallowed. Native byte order only.
 * Its own syscall() wins over libc's for libbpf.a and libbpf.so alike. */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct bpf_object *cur;  /* object being loaded; NULL: everything goes to the kernel */
static int alone;               /* 2nd phase, one program at a time */
static int printed, quiet;      /* maps, data, BTF: by the first load that gets there */
static int seen[4096];         /* programs printed, by index in the object */

static int fake_fd(void)        /* sparse memfd: libbpf may dup3 it, and mmap it over .data or an arena */
{
	int fd = memfd_create("libbpf-oracle-fake", MFD_CLOEXEC);
	return fd >= 0 && ftruncate(fd, 1LL << 40) ? -1 : fd;
}
static int is_fake(int fd)
{
	char p[40], l[64];
	snprintf(p, sizeof p, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(p, l, sizeof l - 1);
	return n > 0 && (l[n] = 0, strstr(l, "libbpf-oracle-fake") != NULL);
}
static void str(const char *before, const char *s)
{
	printf("%s\"", before);
	for (; s && *s; s++) printf(*s == '"' || *s == '\\' || (unsigned char)*s < 32 ? "\\u%04x" : "%c", (unsigned char)*s);
	putchar('"');
}
static void hex(const char *k, __u64 p, size_t n)
{
	printf(",\"%s\":\"", k);
	for (size_t i = 0; p && i < n; i++) printf("%02x", ((unsigned char *)(long)p)[i]);
	putchar('"');
}
static struct bpf_program *prog_of(__u64 insns, int *idx)   /* a real load passes prog->insns itself, a probe cannot */
{
	struct bpf_program *p;
	*idx = -1;
	bpf_object__for_each_program(p, cur)
		if (++*idx, (__u64)(long)bpf_program__insns(p) == insns) return p;
	return NULL;
}
static int real_map(const char *name)   /* probes use no name, "arr" or libbpf_*, which a map of the object may too */
{
	struct bpf_map *m;
	bpf_object__for_each_map(m, cur)
		if (name[0] && !strncmp(bpf_map__name(m), name, BPF_OBJ_NAME_LEN - 1)) return 1;
	return name[0] && strncmp(name, "libbpf_", 7) && strcmp(name, "arr");
}
static void print_prog(union bpf_attr *a, struct bpf_program *p)
{
	const struct bpf_insn *in = bpf_program__insns(p);
	const char *sep = ""; struct bpf_map *m;
	str("{\"kind\":\"prog\",\"name\":", bpf_program__name(p));
	str(",\"section\":", bpf_program__section_name(p));
	printf(",\"alone\":%s,\"prog_type\":%u,\"expected_attach_type\":%u,\"attach_btf_id\":%u,\"prog_flags\":%u,\"kern_version\":%u,"
	       "\"has_btf\":%s,\"insn_cnt\":%u,\"func_info_rec_size\":%u,\"func_info_cnt\":%u,\"line_info_rec_size\":%u,\"line_info_cnt\":%u",
	       alone ? "true" : "false", a->prog_type, a->expected_attach_type, a->attach_btf_id, a->prog_flags, a->kern_version,
	       a->prog_btf_fd ? "true" : "false", a->insn_cnt, a->func_info_rec_size, a->func_info_cnt, a->line_info_rec_size, a->line_info_cnt);
	hex("insns", a->insns, (size_t)a->insn_cnt * 8);
	hex("func_info", a->func_info, (size_t)a->func_info_cnt * a->func_info_rec_size);
	hex("line_info", a->line_info, (size_t)a->line_info_cnt * a->line_info_rec_size);
	printf(",\"map_refs\":[");      /* the imm of these insns is an fd of this process: compare by name instead */
	for (__u32 i = 0; i < a->insn_cnt; i += in[i].code == 0x18 ? 2 : 1)
		if (in[i].code == 0x18 && (in[i].src_reg == BPF_PSEUDO_MAP_FD || in[i].src_reg == BPF_PSEUDO_MAP_VALUE))
			bpf_object__for_each_map(m, cur)
				if (bpf_map__fd(m) == in[i].imm)
					printf("%s{\"insn\":%u", sep, i), str(",\"map\":", bpf_map__name(m)), printf("}"), sep = ",";
	printf("]}\n");
}
long syscall(long nr, ...)
{
	long v[6], r; va_list ap; int i, idx; struct bpf_program *p; struct bpf_map *m; size_t sz;
	va_start(ap, nr); for (i = 0; i < 6; i++) v[i] = va_arg(ap, long); va_end(ap);
	static long (*libc_syscall)(long, ...);
	if (!libc_syscall) libc_syscall = dlsym(RTLD_NEXT, "syscall");
	union bpf_attr *a = (void *)v[1];
	int cmd = v[0] & 0xffff;        /* master may or in BPF_COMMON_ATTRS (1 << 16) */
	if (nr != __NR_bpf || !cur || !a) return libc_syscall(nr, v[0], v[1], v[2], v[3], v[4], v[5]);
	if (cmd == BPF_PROG_LOAD && (p = prog_of(a->insns, &idx))) {
		if (!seen[idx & 4095]++) print_prog(a, p);
		return fake_fd();
	}
	if (cmd == BPF_MAP_CREATE && real_map(a->map_name)) {
		printed = 1;
		if (!quiet) str("{\"kind\":\"map\",\"name\":", a->map_name), printf(",\"type\":%u,\"key_size\":%u,\"value_size\":%u,"
			"\"max_entries\":%u,\"map_flags\":%u,\"map_extra\":%llu,\"btf_key_type_id\":%u,\"btf_value_type_id\":%u,"
			"\"btf_vmlinux_value_type_id\":%u,\"has_inner\":%s}\n", a->map_type, a->key_size, a->value_size, a->max_entries,
			a->map_flags, (unsigned long long)a->map_extra, a->btf_key_type_id, a->btf_value_type_id,
			a->btf_vmlinux_value_type_id, a->inner_map_fd > 0 ? "true" : "false");
		return fake_fd();
	}
	if ((cmd == BPF_MAP_UPDATE_ELEM || cmd == BPF_MAP_FREEZE) && is_fake(a->map_fd)) {
		if (cmd == BPF_MAP_UPDATE_ELEM) bpf_object__for_each_map(m, cur)
			if (a->value && bpf_map__is_internal(m) && bpf_map__initial_value(m, &sz) == (void *)(long)a->value) {
				if (pwrite(a->map_fd, (void *)(long)a->value, sz, 0) < 0) perror("pwrite");
				if (!quiet) str("{\"kind\":\"data\",\"map\":", bpf_map__name(m)), hex("value", a->value, sz), printf("}\n");
			}
		return 0;
	}
	if (cmd == BPF_PROG_BIND_MAP && is_fake(a->prog_bind_map.prog_fd)) return 0;
	r = libc_syscall(nr, v[0], v[1], v[2], v[3], v[4], v[5]);
	if (cmd == BPF_BTF_LOAD && a->btf_size > 256) {     /* the object's BTF (a probe's is smaller): really loaded */
		int e = r < 0 ? errno : 0;
		printed = 1;
		if (!quiet) printf("{\"kind\":\"btf\",\"size\":%u,\"kernel_errno\":%d}\n", a->btf_size, e);
		if (e) r = fake_fd();   /* refused: go on as if taken, so that func_info and line_info still come */
	}
	return r;
}
static struct bpf_object *load(const char *path, const char *target, int only, int *rc)
{
	LIBBPF_OPTS(bpf_object_open_opts, o, .btf_custom_path = target);
	struct bpf_program *p; struct bpf_map *m; int i = 0;
	struct bpf_object *obj = bpf_object__open_file(path, &o);
	if (!obj) { *rc = -errno; return NULL; }
	bpf_object__for_each_map(m, obj) bpf_map__set_pin_path(m, NULL);    /* no bpffs needed */
	if (only >= 0) bpf_object__for_each_program(p, obj) bpf_program__set_autoload(p, i++ == only);
	cur = obj; quiet = printed; alone = only >= 0;
	*rc = bpf_object__load(obj);
	return cur = NULL, obj;
}
int main(int argc, char **argv)
{
	int rc, rc1 = 0, n = 0, errors = 0;
	if (argc < 2) return fprintf(stderr, "usage: libbpf-oracle OBJECT.o [TARGET.btf]\n"), 2;
	struct bpf_object *obj = load(argv[1], argv[2], -1, &rc);
	struct bpf_program *p;
	if (obj) bpf_object__for_each_program(p, obj) {     /* those that failed, those behind them, and SEC("?...") */
		if (!seen[n & 4095]) bpf_object__close(load(argv[1], argv[2], n, &rc1));
		if (!seen[n++ & 4095]) {
			str("{\"kind\":\"prog_error\",\"name\":", bpf_program__name(p));
			str(",\"section\":", bpf_program__section_name(p)), printf(",\"rc\":%d}\n", rc1), errors++;
		}
	}
	str("{\"kind\":\"end\",\"libbpf\":", libbpf_version_string()), printf(",\"load_rc\":%d,\"programs\":%d,\"errors\":%d}\n", rc, n, errors);
	bpf_object__close(obj);
	return !obj || errors;
}
