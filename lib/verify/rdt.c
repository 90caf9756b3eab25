/* linux.intelRdt. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/rdt.h"
#include "verify/area.h"

enum { FILE_MAX = 1 << 20 };

static char *read_file(const char *mount, const char *group, const char *file)
{
	own_fd int root = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	own_ptr char *path = NULL;
	char *text = NULL;
	size_t len;

	if (root < 0 || asprintf(&path, "%s%s%s", group, *group ? "/" : "", file) < 0)
		return NULL;
	fd = sys_openat2(root, path, O_RDONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	return fd < 0 || fd_read_all(fd, FILE_MAX, &text, &len) < 0 ? NULL : text;
}

static bool has_pid(const char *text, pid_t pid)
{
	for (char *end; text && *text; text = end) {
		if (strtol(text, &end, 10) == pid)
			return true;
		if (end == text)
			break;
	}
	return false;
}

static void compare_schema(struct verify *v, const char *pointer, const char *text,
			   const char *line)
{
	if (line)
		verify_text(v, pointer, "schemata", line,
			    text && rdt_schema_matches(text, line) ? line : text);
}

int verify_rdt(struct verify *v, struct oci_err *err)
{
	const struct json_object *rdt = json_member(v->lnx, "intelRdt"), *list;
	const char *mount = json_string(v->c->state->rdt, "mount");
	const char *group = json_string(v->c->state->rdt, "group");
	own_ptr char *tasks = NULL, *schemata = NULL;

	(void)err;
	if (!rdt)
		return 0;
	if (!mount || !group) {
		verify_differs(v, "/linux/intelRdt", "state.json", "a group", "none");
		return 0;
	}
	tasks = read_file(mount, group, "tasks");
	schemata = read_file(mount, group, "schemata");
	verify_text(v, "/linux/intelRdt/closID", mount, group,
		    has_pid(tasks, v->pid) ? group : "the process is not in the group");
	compare_schema(v, "/linux/intelRdt/l3CacheSchema", schemata,
		       json_string(rdt, "l3CacheSchema"));
	compare_schema(v, "/linux/intelRdt/memBwSchema", schemata, json_string(rdt, "memBwSchema"));
	list = json_member(rdt, "schemata");
	for (size_t i = 0; i < json_length(list); i++)
		compare_schema(v, verify_at("/linux/intelRdt/schemata/%zu", i).text, schemata,
			       json_item_string(list, i));
	return 0;
}
