/*
 * Purpose: put the container into a group of resctrl (Intel RDT, AMD PQoS).
 * Runs in: the caller's namespaces; resctrl is the host's and trusted.
 * Should: say what the kernel says in info/last_cmd_status; make nothing that is not recorded.
 * Mustn't: write a schema that config.json does not have; remove a group that was there before.
 * Undo: rdt_clear().
 * Specification: config-linux.md, "IntelRdt".
 */
#include "kernel/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"

enum { TEXT_SIZE_MAX = 1 << 20, LIST_SIZE_MAX = 64 << 20 };

static const char pointer[] = "/linux/intelRdt";

/* ---- The filesystem ------------------------------------------------------------------------- */

/* A file of our procfs; the caller frees it. NULL with *err. */
static char *read_proc(const char *path, struct oci_err *err)
{
	const int proc = proc_fd(err);
	own_fd int fd = -1;
	char *text = NULL;
	size_t len;

	if (proc < 0)
		return NULL;
	fd = sys_openat2(proc, path, O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	if (fd < 0 || fd_read_all(fd, LIST_SIZE_MAX, &text, &len) < 0) {
		err_sys(err, errno, "cannot read /proc/%s", path);
		return NULL;
	}
	return text;
}

/* The mount point in a line of mountinfo that ends in "- resctrl ..."; the caller frees it. */
static char *mount_in_line(const char *line, size_t len)
{
	static const char type[] = " - resctrl ";
	own_ptr char *copy = strndup(line, len);
	char *at = copy, *end;

	if (!copy || !strstr(copy, type))
		return NULL;
	for (int field = 0; at && field < 4; field++)
		at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL;
	end = at ? strchr(at, ' ') : NULL;
	if (!end)
		return NULL;
	*end = '\0';
	return strdup(at);
}

static int not_mounted(struct oci_err *err)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_ptr char *known = read_proc("filesystems", &ignored);

	if (known && strstr(known, "\tresctrl\n")) {
		err_set(err, FAULT_UNSUPPORTED,
			"is set, but resctrl is not mounted in the runtime's mount namespace");
		err_hint(err, "mount -t resctrl resctrl /sys/fs/resctrl");
	} else {
		err_set(err, FAULT_UNSUPPORTED,
			"is set, but resctrl is not mounted: this processor or kernel does not "
			"support it");
	}
	return err_at(err, "%s", pointer);
}

/* Where it is mounted; the caller frees it. */
static char *find_mount(struct oci_err *err)
{
	own_ptr char *text = read_proc("self/mountinfo", err);
	char *mount = NULL;

	if (!text)
		return NULL;
	for (const char *line = text, *end; !mount && *line; line = end) {
		end = line + strcspn(line, "\n");
		mount = mount_in_line(line, (size_t)(end - line));
		end += *end == '\n';
	}
	if (!mount)
		not_mounted(err);
	return mount;
}

static int open_mount(const char *mount, struct oci_err *err)
{
	int fd = openat(AT_FDCWD, mount, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, errno, "cannot open resctrl on \"%s\"", mount) : fd;
}

/* errno, and what resctrl says about the last call; at a property of intelRdt, or "". */
static int fail(int root_fd, const char *what, const char *name, const char *property,
		struct oci_err *err)
{
	const int e = errno;
	own_ptr char *status = NULL;
	size_t len = 0;

	if (fd_read_file(root_fd, "info/last_cmd_status", TEXT_SIZE_MAX, &status, &len) == 0)
		status[strcspn(status, "\n")] = '\0';
	if (status && *status && strcmp(status, "ok") != 0)
		err_sys(err, e, "cannot %s \"%s\" of resctrl: %s", what, name, status);
	else
		err_sys(err, e, "cannot %s \"%s\" of resctrl", what, name);
	return err_at(err, "%s%s", pointer, property);
}

/* GROUP/FILE beneath the root; the caller frees it. */
static char *path_in(const char *group, const char *file)
{
	char *path = NULL;

	if (asprintf(&path, "%s%s%s", group, *group && *file ? "/" : "", file) < 0)
		return NULL;
	return path;
}

static int no_memory(struct oci_err *err)
{
	return err_sys(err, ENOMEM, "cannot prepare the resctrl group");
}

/* ---- Schemas -------------------------------------------------------------------------------- */

/* The value of id in "0=7f0;1=1f", without leading zeros; and its length. */
static const char *value_of(const char *list, size_t list_len, const char *id, size_t id_len,
			    size_t *ret_len)
{
	const char *end = list + list_len;

	while (list < end) {
		size_t n = 0;

		while (list < end && *list == ' ')
			list++;
		while (list + n < end && list[n] != ';' && list[n] != '\n')
			n++;
		if (n > id_len && strncmp(list, id, id_len) == 0 && list[id_len] == '=') {
			const char *value = list + id_len + 1;

			n -= id_len + 1;
			for (; n > 1 && *value == '0'; value++)
				n--;
			*ret_len = n;
			return value;
		}
		list += n + 1;
	}
	return NULL;
}

/* The rest of the line of text for the resource "L3"; NULL: there is none. */
static const char *resource_line(const char *text, const char *name, size_t len)
{
	for (const char *line = text; *line; line += *line == '\n') {
		line += strspn(line, " \t");
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1;
		line += strcspn(line, "\n");
	}
	return NULL;
}

bool rdt_schema_matches(const char *text, const char *line)
{
	const size_t name_len = strcspn(line, ":");
	const char *there = resource_line(text, line, name_len), *item;

	if (!line[name_len] || !there)
		return false;
	for (item = line + name_len + 1; *item; item += *item == ';') {
		const size_t len = strcspn(item, ";"), id_len = strcspn(item, "=");
		const char *want, *have;
		size_t want_len, have_len;

		if (len && id_len < len) {
			want = value_of(item, len, item, id_len, &want_len);
			have = value_of(there, strcspn(there, "\n"), item, id_len, &have_len);
			if (!want || !have || want_len != have_len ||
			    strncasecmp(want, have, want_len) != 0)
				return false;
		}
		item += len;
	}
	return true;
}

static const char *const single[] = {"l3CacheSchema", "memBwSchema"};

static bool has_schema(const struct json_object *rdt)
{
	return json_string(rdt, single[0]) || json_string(rdt, single[1]) ||
	       json_length(json_member(rdt, "schemata"));
}

static int check_existing(int root_fd, const char *group, const struct json_object *rdt,
			  struct oci_err *err)
{
	own_ptr char *path = path_in(group, "schemata"), *text = NULL;
	size_t len;

	if (!path)
		return no_memory(err);
	for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
		const char *line = json_string(rdt, single[i]);

		if (!line)
			continue;
		if (!text && fd_read_file(root_fd, path, TEXT_SIZE_MAX, &text, &len) < 0)
			return fail(root_fd, "read", path, "/closID", err);
		if (rdt_schema_matches(text, line))
			continue;
		err_set(err, FAULT_CONFIG,
			"the resctrl group \"%s\" is there already, and its schema is not \"%s\"",
			*group ? group : "/", line);
		return err_at(err, "%s/%s", pointer, single[i]);
	}
	return 0;
}

static int write_line(int root_fd, const char *path, const char *line, const char *property,
		      struct oci_err *err)
{
	own_ptr char *text = NULL;

	if (asprintf(&text, "%s\n", line) < 0) {
		text = NULL;
		return no_memory(err);
	}
	if (fd_write_control(root_fd, path, text) == 0)
		return 0;
	fail(root_fd, "write", path, property, err);
	return err_wrap(err, "\"%s\"", line);
}

static int write_schemas(int root_fd, const char *group, const struct json_object *rdt,
			 struct oci_err *err)
{
	const struct json_object *list = json_member(rdt, "schemata");
	own_ptr char *path = path_in(group, "schemata");
	char property[64];

	if (!path)
		return no_memory(err);
	for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
		const char *line = json_string(rdt, single[i]);

		snprintf(property, sizeof property, "/%s", single[i]);
		if (line && write_line(root_fd, path, line, property, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < json_length(list); i++) {
		snprintf(property, sizeof property, "/schemata/%zu", i);
		if (write_line(root_fd, path, json_item_string(list, i), property, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- Groups --------------------------------------------------------------------------------- */

static void add(struct json_object *record, const char *key, const char *text)
{
	json_object_object_add(record, key, json_object_new_string(text));
}

/* GROUP/mon_groups/ID; the caller frees it. */
static char *monitor_path(const struct json_object *record)
{
	const char *group = json_string(record, "group");
	char *path = NULL;

	if (asprintf(&path, "%s%smon_groups/%s", group, *group ? "/" : "",
		     json_string(record, "monitor")) < 0)
		return NULL;
	return path;
}

/* One that is there is another's, and must not be removed with this container. */
static int plan_monitor(int root_fd, struct json_object *record, const char *id,
			struct oci_err *err)
{
	own_ptr char *path = NULL;

	add(record, "monitor", id);
	path = monitor_path(record);
	if (!path)
		return no_memory(err);
	if (faccessat(root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	err_set(err, FAULT_CONFIG, "EEXIST: there is a monitoring group \"%s\" already", path);
	return err_at(err, "%s/enableMonitoring", pointer);
}

int rdt_plan(int root_fd, const char *mount, const char *id, const struct json_object *rdt,
	     struct json_object **ret_record, struct oci_err *err)
{
	const char *clos = json_string(rdt, "closID");
	const char *group = !clos ? id : strcmp(clos, "/") == 0 ? "" : clos;
	own_json struct json_object *record = json_object_new_object();
	bool there = true;

	if (*group && faccessat(root_fd, group, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return fail(root_fd, "look for the group", group, "", err);
		there = false;
	}
	if (clos && !there && !has_schema(rdt)) {
		err_set(err, FAULT_CONFIG,
			"ENOENT: there is no resctrl group \"%s\", and no schema to make it with",
			clos);
		return err_at(err, "%s/closID", pointer);
	}
	if (clos && there && check_existing(root_fd, group, rdt, err) < 0)
		return -1;
	add(record, "mount", mount);
	add(record, "group", group);
	if (!there)
		add(record, "made", clos ? "closID" : "id");
	if (json_true(rdt, "enableMonitoring") && plan_monitor(root_fd, record, id, err) < 0)
		return -1;
	*ret_record = steal_ptr(&record);
	return 0;
}

static int add_task(int root_fd, const char *group, pid_t pid, const char *property,
		    struct oci_err *err)
{
	own_ptr char *path = path_in(group, "tasks");
	char number[16];

	if (!path)
		return no_memory(err);
	snprintf(number, sizeof number, "%d", (int)pid);
	return fd_write_control(root_fd, path, number) < 0
		       ? fail(root_fd, "write the process to", path, property, err)
		       : 0;
}

int rdt_apply(int root_fd, const struct json_object *record, const struct json_object *rdt,
	      pid_t pid, struct oci_err *err)
{
	const char *group = json_string(record, "group"), *made = json_string(record, "made");
	own_ptr char *monitor = json_has(record, "monitor") ? monitor_path(record) : NULL;
	own_json struct json_object *lines = NULL;

	if (!group || (json_has(record, "monitor") && !monitor))
		return no_memory(err);
	if (made && mkdirat(root_fd, group, 0755) < 0)
		return fail(root_fd, "make the group", group, "", err);
	/* The single schemas of a group that config.json names were compared with what is there. */
	if (json_has(rdt, "closID") && !made) {
		lines = json_object_new_object();
		json_object_object_add(lines, "schemata",
				       json_object_get(json_member(rdt, "schemata")));
	}
	if (write_schemas(root_fd, group, lines ? lines : rdt, err) < 0 ||
	    add_task(root_fd, group, pid, "", err) < 0)
		return -1;
	if (!monitor)
		return 0;
	if (mkdirat(root_fd, monitor, 0755) < 0)
		return fail(root_fd, "make the monitoring group", monitor, "/enableMonitoring",
			    err);
	return add_task(root_fd, monitor, pid, "/enableMonitoring", err);
}

static int remove_group(int root_fd, const char *path, struct oci_err *err)
{
	if (unlinkat(root_fd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return fail(root_fd, "remove the group", path, "", err);
}

int rdt_remove(int root_fd, const struct json_object *record, bool undo, struct oci_err *err)
{
	const char *group = json_string(record, "group"), *made = json_string(record, "made");
	own_ptr char *monitor = json_has(record, "monitor") ? monitor_path(record) : NULL;

	if (!group)
		return 0;
	if (monitor && remove_group(root_fd, monitor, err) < 0)
		return -1;
	if (!made || !*group || (strcmp(made, "id") != 0 && !undo))
		return 0;
	return remove_group(root_fd, group, err);
}

/* ---- A container ---------------------------------------------------------------------------- */

int rdt_setup(struct container *c, struct oci_err *err)
{
	const struct json_object *rdt = json_path(c->config, "linux", "intelRdt", NULL);
	own_ptr char *mount = rdt ? find_mount(err) : NULL;
	own_fd int root = -1;

	if (!rdt)
		return 0;
	root = mount ? open_mount(mount, err) : -1;
	if (root < 0 || rdt_plan(root, mount, c->id, rdt, &c->state->rdt, err) < 0 ||
	    container_save(c, err) < 0)
		return -1;
	return rdt_apply(root, c->state->rdt, rdt, c->state->init.pid, err);
}

int rdt_clear(const struct container *c, bool undo, struct oci_err *err)
{
	const char *mount = json_string(c->state->rdt, "mount");
	own_fd int root = -1;

	if (!mount)
		return 0;
	root = open_mount(mount, err);
	if (root >= 0)
		return rdt_remove(root, c->state->rdt, undo, err);
	if (err->errnum != ENOENT)
		return -1;
	err_clear(err);
	return 0;
}

int rdt_add_process(int root_fd, const struct json_object *record, pid_t pid, struct oci_err *err)
{
	const char *group = json_string(record, "group");
	own_ptr char *monitor = json_has(record, "monitor") ? monitor_path(record) : NULL;

	if (!group || (json_has(record, "monitor") && !monitor))
		return no_memory(err);
	if (add_task(root_fd, group, pid, "", err) < 0)
		return -1;
	return monitor ? add_task(root_fd, monitor, pid, "/enableMonitoring", err) : 0;
}

int rdt_add(const struct container *c, pid_t pid, struct oci_err *err)
{
	const char *mount = json_string(c->state->rdt, "mount");
	own_fd int root = mount ? open_mount(mount, err) : -1;

	if (!mount)
		return 0;
	return root < 0 ? -1 : rdt_add_process(root, c->state->rdt, pid, err);
}

int rdt_update(const struct container *c, const char *l3_cache, const char *mem_bw,
	       struct oci_err *err)
{
	const char *mount = json_string(c->state->rdt, "mount");
	own_json struct json_object *rdt = json_object_new_object();
	own_fd int root = -1;

	if (!l3_cache && !mem_bw)
		return 0;
	if (!mount)
		return err_set(err, FAULT_STATE,
			       "container \"%s\" has no resctrl group: its config.json has no "
			       "linux.intelRdt",
			       c->id);
	root = open_mount(mount, err);
	if (root < 0)
		return -1;
	if (l3_cache)
		add(rdt, single[0], l3_cache);
	if (mem_bw)
		add(rdt, single[1], mem_bw);
	return write_schemas(root, json_string(c->state->rdt, "group"), rdt, err);
}
