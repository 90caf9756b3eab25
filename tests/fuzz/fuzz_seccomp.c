/*
 * kernel/seccomp.h: any JSON as linux.seccomp. It is compiled to a program that
 * the kernel could take, or refused with an error that says where.
 */
#include <stdint.h>

#include "kernel/seccomp.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *json = json_parse((const char *)data, size, "fuzz", &err);
	struct seccomp_filter filter;

	if (!json)
		return 0;
	if (seccomp_compile(json, &filter, &err) < 0) {
		require(err.message && err.pointer && !filter.program);
	} else {
		const struct sock_filter *code = filter.program;
		const size_t n = filter.size / sizeof *code;

		require(code && n && n <= BPF_MAXINSNS && filter.size % sizeof *code == 0);
		require(BPF_CLASS(code[n - 1].code) == BPF_RET);
	}
	free(filter.program);
	return 0;
}
