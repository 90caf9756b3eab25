#include "kernel/rlimit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "kernel/proc.h"

static const struct {
	const char *name;
	int resource;
} types[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

static int find_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (name && strcmp(types[i].name, name) == 0)
			return types[i].resource;
	return -1;
}

static const char *describe(rlim_t value, char text[static 24])
{
	if (value == RLIM_INFINITY)
		return "unlimited";
	snprintf(text, 24, "%" PRIu64, (uint64_t)value);
	return text;
}

uint64_t rlimit_most_files(void)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_fd int proc = proc_open_host(&ignored);
	own_ptr char *text = NULL;
	uint64_t most;
	size_t len;

	if (proc < 0 || fd_read_file(proc, "sys/fs/nr_open", 64, &text, &len) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return num_uint(text, 0, UINT64_MAX, &most) ? most : 0;
}

static int explain(const char *type, int resource, int errnum, const struct rlimit *now,
		   const struct rlimit *want, struct oci_err *err)
{
	char from[24], to[24], soft[24];
	rlim_t most;

	if (errnum == EINVAL && want->rlim_cur > want->rlim_max)
		return err_set(
			err, FAULT_CONFIG,
			"cannot set %s: EINVAL: the soft limit %s is above the hard limit %s", type,
			describe(want->rlim_cur, soft), describe(want->rlim_max, to));
	if (errnum == EPERM && resource == RLIMIT_NOFILE && (most = rlimit_most_files()) &&
	    want->rlim_max > most) {
		err_set(err, FAULT_UNSUPPORTED,
			"cannot set %s: EPERM: the hard limit %s is above fs.nr_open, which is %s "
			"on this machine",
			type, describe(want->rlim_max, to), describe(most, from));
		err->errnum = errnum;
		return err_hint(err, "sysctl fs.nr_open=NUMBER raises what any process may have");
	}
	if (errnum != EPERM || want->rlim_max <= now->rlim_max)
		return err_sys(err, errnum, "cannot set %s", type);
	err_set(err, FAULT_UNSUPPORTED,
		"cannot set %s: EPERM: to raise the hard limit from %s to %s takes "
		"CAP_SYS_RESOURCE",
		type, describe(now->rlim_max, from), describe(want->rlim_max, to));
	err->errnum = errnum;
	return -1;
}

static int apply_one(pid_t pid, int resource, const char *type, const struct rlimit *want,
		     struct oci_err *err)
{
	struct rlimit now;

	if (prlimit(pid, (__rlimit_resource_t)resource, NULL, &now) < 0)
		return err_sys(err, errno, "cannot read %s of process %d", type, (int)pid);
	if (now.rlim_cur == want->rlim_cur && now.rlim_max == want->rlim_max)
		return 0;
	if (prlimit(pid, (__rlimit_resource_t)resource, want, NULL) < 0)
		return explain(type, resource, errno, &now, want, err);
	return 0;
}

int rlimit_apply(pid_t pid, const struct json_object *rlimits, struct oci_err *err)
{
	const size_t n = json_length(rlimits);
	unsigned seen = 0;

	for (size_t i = 0; i < n; i++) {
		const struct json_object *item = json_item(rlimits, i);
		const char *type = json_string(item, "type");
		const struct rlimit want = {
			.rlim_cur = json_uint(item, "soft", RLIM_INFINITY),
			.rlim_max = json_uint(item, "hard", RLIM_INFINITY),
		};
		int resource = find_type(type);

		if (resource < 0) {
			err_set(err, FAULT_CONFIG, "unknown resource limit \"%s\"",
				type ? type : "");
			return err_at(err, "/process/rlimits/%zu/type", i);
		}
		if (seen & 1u << resource) {
			err_set(err, FAULT_CONFIG, "%s is there twice", type);
			return err_at(err, "/process/rlimits/%zu/type", i);
		}
		seen |= 1u << resource;
		if (apply_one(pid, resource, type, &want, err) < 0)
			return err_at(err, "/process/rlimits/%zu", i);
	}
	return 0;
}
