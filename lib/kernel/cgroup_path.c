/* linux.cgroupsPath as a path beneath the root of a hierarchy. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup_tree.h"

static int bad_path(struct oci_err *err, const char *why, const char *path)
{
	err_set(err, FAULT_CONFIG, "cgroupsPath \"%s\" %s", path, why);
	return err_at(err, "/linux/cgroupsPath");
}

char *cgroup_normal_path(const char *base, const char *path, struct oci_err *err)
{
	own_ptr char *out = malloc(strlen(base) + strlen(path) + 3);
	size_t used = 0;

	if (!out) {
		err_sys(err, errno, "cannot remember a cgroup path");
		return NULL;
	}
	for (int i = 0; i < 2; i++) {
		const char *c = i ? path : base;

		for (c += strspn(c, "/"); *c; c += strspn(c, "/")) {
			size_t n = strcspn(c, "/");

			if (n == 2 && memcmp(c, "..", 2) == 0) {
				bad_path(err, "contains \"..\"", path);
				return NULL;
			}
			/* cgroupfs takes it, but what lists directories may not. */
			if (n > NAME_MAX) {
				bad_path(err, "has a name of more than 255 bytes", path);
				return NULL;
			}
			if (!(n == 1 && *c == '.')) {
				out[used++] = '/';
				memcpy(out + used, c, n);
				used += n;
			}
			c += n;
		}
	}
	out[used] = '\0';
	if (strchr(out, '\n')) {
		bad_path(err, "contains a newline", path);
		return NULL;
	}
	if (path[strspn(path, "/.")] == '\0') {
		bad_path(err, "names no cgroup of the container's own", path);
		return NULL;
	}
	return steal_ptr(&out);
}
