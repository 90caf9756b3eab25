#include "kernel/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"

enum { STATUS_SIZE_MAX = 1 << 20, VALUE_MAX = 64 };

/* The text after "\nNAME:\t", up to the end of the line; NULL if there is no such line. */
static const char *find(const char *status, const char *name, size_t *ret_len)
{
	const size_t name_len = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
			line += name_len + 1;
			line += *line == '\t';
			*ret_len = strcspn(line, "\n");
			return line;
		}
	}
	return NULL;
}

static int differs(struct oci_err *err, const char *name, const char *is, size_t len,
		   const char *want)
{
	return err_set(err, FAULT_SYSTEM,
		       "init has not become what it should: its %s is \"%.*s\", not \"%s\"", name,
		       is ? (int)len : 0, is ? is : "", want);
}

static int expect(const char *status, const char *name, const char *want, struct oci_err *err)
{
	size_t len = 0;
	const char *is = find(status, name, &len);

	if (is && len == strlen(want) && memcmp(is, want, len) == 0)
		return 0;
	return differs(err, name, is, len, want);
}

static int expect_id(const char *status, const char *name, uint32_t id, struct oci_err *err)
{
	char want[VALUE_MAX];

	/* Real, effective, saved, of the file system. */
	snprintf(want, sizeof want, "%" PRIu32 "\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32, id, id, id,
		 id);
	return expect(status, name, want, err);
}

static int expect_caps(const char *status, const char *name, uint64_t set, struct oci_err *err)
{
	char want[VALUE_MAX];

	snprintf(want, sizeof want, "%016" PRIx64, set);
	return expect(status, name, want, err);
}

static int compare_ids(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The number of ids in the line, which are stored at most max; SIZE_MAX if there is anything else.
 */
static size_t parse_ids(const char *line, size_t len, uint32_t *ids, size_t max)
{
	own_ptr char *copy = strndup(line, len);
	char *rest = copy, *word;
	uint64_t id;
	size_t n = 0;

	while (copy && (word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if (!num_uint(word, 0, UINT32_MAX, &id))
			return SIZE_MAX;
		if (n < max)
			ids[n] = (uint32_t)id;
		n++;
	}
	return copy ? n : SIZE_MAX;
}

static int expect_groups(const char *status, const struct identity *want, struct oci_err *err)
{
	const size_t n = want->n_groups;
	own_ptr uint32_t *is = calloc(n + 1, sizeof *is), *wanted = calloc(n + 1, sizeof *wanted);
	size_t len = 0;
	const char *line = find(status, "Groups", &len);

	if (!is || !wanted)
		return err_sys(err, ENOMEM, "cannot compare the groups");
	if (!line || parse_ids(line, len, is, n) != n)
		return differs(err, "Groups", line, len, n ? "additionalGids" : "");
	if (n)
		memcpy(wanted, want->groups, n * sizeof *wanted);
	/* The kernel sorts them by what they are mapped to. */
	qsort(is, n, sizeof *is, compare_ids);
	qsort(wanted, n, sizeof *wanted, compare_ids);
	return memcmp(is, wanted, n * sizeof *is) == 0
		       ? 0
		       : differs(err, "Groups", line, len, "additionalGids");
}

/* The innermost of the ids in "NSpid" and "NSsid". */
static int expect_session(const char *status, struct oci_err *err)
{
	size_t pid_len = 0, sid_len = 0;
	const char *pid = find(status, "NSpid", &pid_len), *sid = find(status, "NSsid", &sid_len);

	if (pid && sid && pid_len == sid_len && memcmp(pid, sid, pid_len) == 0)
		return 0;
	return differs(err, "session", sid, sid_len, "its own");
}

int identity_compare(const char *status, const struct identity *want, struct oci_err *err)
{
	if (want->ids_known && (expect_id(status, "Uid", want->uid, err) < 0 ||
				expect_id(status, "Gid", want->gid, err) < 0))
		return -1;
	if (want->ids_known && want->groups_known && expect_groups(status, want, err) < 0)
		return -1;
	if (expect_caps(status, "CapInh", want->caps.inheritable, err) < 0 ||
	    expect_caps(status, "CapPrm", want->caps.permitted, err) < 0 ||
	    expect_caps(status, "CapEff", want->caps.effective, err) < 0 ||
	    expect_caps(status, "CapBnd", want->caps.bounding, err) < 0 ||
	    expect_caps(status, "CapAmb", want->caps.ambient, err) < 0)
		return -1;
	/* These two are inherited if we have them ourselves. */
	if (want->no_new_privs && expect(status, "NoNewPrivs", "1", err) < 0)
		return -1;
	if (want->filtered && expect(status, "Seccomp", "2", err) < 0)
		return -1;
	return want->session ? expect_session(status, err) : 0;
}

int identity_check(pid_t pid, const struct identity *want, struct oci_err *err)
{
	int proc = proc_fd(err);
	own_ptr char *status = NULL;
	own_fd int fd = -1;
	char path[32];
	size_t len;

	if (proc < 0)
		return -1;
	snprintf(path, sizeof path, "%d/status", (int)pid);
	fd = sys_openat2(proc, path, O_RDONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	if (fd < 0 || fd_read_all(fd, STATUS_SIZE_MAX, &status, &len) < 0)
		return err_sys(err, errno, "cannot read the status of init");
	return identity_compare(status, want, err);
}
