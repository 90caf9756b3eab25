/*
 * Purpose: apply linux.resources, except devices, to the container's cgroup.
 * Runs in: the runtime's namespaces.
 * Should: write one control file a property; say for each error which property,
 *   file and value.
 * Mustn't: leave a property out without an error; write outside the container's
 *   own directories, except to enable controllers above them.
 * Undo: the limits go with the directories.
 * Specification: config-linux.md, "Memory" to "Unified".
 */
#include "kernel/cgroup_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup_convert.h"

bool cgroup_limits_asked(const struct json_object *resources)
{
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_settings early = {0}, late = {0};
	bool asked = cgroup_collect(resources, PHASE_CREATE, &early, &err) == 0 &&
		     cgroup_collect(resources, PHASE_SETTLE, &late, &err) == 0 &&
		     early.n + late.n > 0;

	cgroup_settings_free(&early);
	cgroup_settings_free(&late);
	return asked;
}

/* The directories that have been opened; settings borrow from them. */
struct limit_dirs {
	struct {
		const struct json_object *hierarchy;
		int fd;
	} items[CGROUP_HIERARCHIES_MAX];
	unsigned n;
};

static void close_dirs(struct limit_dirs *dirs)
{
	while (dirs->n > 0)
		close(dirs->items[--dirs->n].fd);
}

static int open_dir(struct limit_dirs *dirs, const struct cgroup_hierarchy *h, struct oci_err *err)
{
	int fd;

	for (unsigned i = 0; i < dirs->n; i++)
		if (dirs->items[i].hierarchy == h->json)
			return dirs->items[i].fd;
	fd = cgroup_open_leaf(h, err);
	if (fd < 0 && err->fault == FAULT_NONE)
		return err_set(err, FAULT_STATE, "cgroup \"%s%s\" of the container is gone",
			       h->mount, h->path);
	if (fd < 0)
		return -1;
	dirs->items[dirs->n].hierarchy = h->json;
	dirs->items[dirs->n++].fd = fd;
	return fd;
}

static int not_available(const struct cgroup_setting *s, bool v2, const char *controller,
			 const struct json_object *record, struct oci_err *err)
{
	struct cgroup_hierarchy h;

	if (v2 && cgroup_find_v2(record, &h))
		err_set(err, FAULT_UNSUPPORTED, "the %s controller is not available in \"%s%s\"",
			controller, h.mount, h.path);
	else
		err_set(err, FAULT_UNSUPPORTED,
			"the %s controller is not available: no hierarchy in \"" CGROUP_MOUNT
			"\" has it",
			controller);
	return cgroup_setting_at(s, err);
}

/* Which version a setting is for: v1 where there is a hierarchy for it, v2 otherwise. */
static int choose_version(struct cgroup_setting *s, const struct json_object *record,
			  struct cgroup_wanted *needed, struct oci_err *err)
{
	struct cgroup_hierarchy h;
	char name[16];

	s->v2 = !(cgroup_controller(s, false, name) && cgroup_find_v1(record, name, &h));
	if (!s->v2)
		return 0;
	if (cgroup_controller(s, true, name)) {
		if (!cgroup_find_v2(record, &h))
			return not_available(s, true, name, record, err);
		/* cgroup.max.depth and the like need none. */
		if (strcmp(name, "cgroup") != 0)
			cgroup_want(needed, name);
		return 0;
	}
	cgroup_controller(s, false, name);
	if (cgroup_count(record) > 1 || !cgroup_find_v2(record, &h))
		return not_available(s, false, name, record, err);
	err_set(err, FAULT_UNSUPPORTED, "%s%s%s: there is no such limit in cgroup v2",
		s->limit->object, s->limit->property ? "." : "",
		s->limit->property ? s->limit->property : "");
	return cgroup_setting_at(s, err);
}

static bool in_set(const struct cgroup_wanted *set, const char *name)
{
	for (unsigned i = 0; i < set->n; i++)
		if (strcmp(set->names[i], name) == 0)
			return true;
	return false;
}

/* What engines show of a container (stats), where the machine has it for little. */
static const struct cgroup_wanted statistics = {
	.names = {"cpu", "io", "memory", "pids"},
	.n = 4,
};

static int enable_controllers(const struct json_object *record,
			      const struct cgroup_settings *settings,
			      const struct cgroup_wanted *needed, enum cgroup_phase phase,
			      struct oci_err *err)
{
	struct cgroup_wanted missing = {0}, none = {0};
	struct cgroup_hierarchy h;
	bool nice = phase == PHASE_CREATE && cgroup_count(record) == 1;

	if (!cgroup_find_v2(record, &h) || (needed->n == 0 && !nice))
		return 0;
	if (cgroup_enable(&h, needed, nice ? &statistics : &none, &missing, err) < 0)
		return -1;
	for (size_t i = 0; i < settings->n; i++) {
		const struct cgroup_setting *s = &settings->items[i];
		char name[16];

		if (s->v2 && cgroup_controller(s, true, name) && in_set(&missing, name))
			return not_available(s, true, name, record, err);
	}
	return 0;
}

static int find_dir(struct cgroup_setting *s, const struct json_object *record,
		    struct limit_dirs *dirs, struct oci_err *err)
{
	struct cgroup_hierarchy h;
	char name[16];

	cgroup_controller(s, s->v2, name);
	if (s->v2 ? cgroup_find_v2(record, &h) : cgroup_find_v1(record, name, &h))
		s->dir = open_dir(dirs, &h, err);
	return s->dir < 0 ? -1 : 0;
}

/* What an errno of a control file means, more than its name says. */
static const struct {
	const char *file; /* the beginning of its name */
	int errnum;
	enum oci_fault fault;
	const char *hint;
} meanings[] = {
	{"memory.limit_in_bytes", EBUSY, FAULT_CONFIG, "more than that is in use"},
	{"memory.memsw.", EBUSY, FAULT_CONFIG, "more than that is in use"},
	{"memory.limit_in_bytes", EINVAL, FAULT_CONFIG, "memory.swap includes memory.limit"},
	{"memory.memsw.", EINVAL, FAULT_CONFIG, "memory.swap includes memory.limit"},
	{"cpuset.", EINVAL, FAULT_CONFIG, "the cgroup above has none of these"},
	{"cpuset.", EACCES, FAULT_CONFIG, "the cgroup above has not all of these"},
	{"cpuset.", ERANGE, FAULT_CONFIG, "the machine has not all of these"},
	{"cpuset.", ENOSPC, FAULT_CONFIG, "processes are in it, and would have none left"},
	{"cpu.rt_", EINVAL, FAULT_CONFIG, "the cgroups above must have as much realtime left"},
	{"cpu.cfs_", EINVAL, FAULT_CONFIG, "the cgroup above has less, or burst exceeds quota"},
	{"cpu.max", EINVAL, FAULT_CONFIG,
	 "a period is 1000 to 1000000, a quota at least 1000, and "
	 "burst does not exceed it"},
	{"cpu.", EINVAL, FAULT_CONFIG, NULL},
	{"blkio.", ENODEV, FAULT_CONFIG, "there is no such block device"},
	{"io.", ENODEV, FAULT_CONFIG, "there is no such block device"},
	{"net_prio.", ENODEV, FAULT_CONFIG, "there is no such network interface"},
	{"rdma.", ENODEV, FAULT_CONFIG, "there is no such RDMA device"},
	{"", EINVAL, FAULT_CONFIG, NULL},
	{"", ERANGE, FAULT_CONFIG, NULL},
	{"", ENOENT, FAULT_UNSUPPORTED, "this kernel has no such limit"},
	{"", EOPNOTSUPP, FAULT_UNSUPPORTED, "this kernel has no such limit"},
	{"", EACCES, FAULT_UNSUPPORTED, NULL},
	{"", EPERM, FAULT_UNSUPPORTED, NULL},
	{"", EROFS, FAULT_UNSUPPORTED, NULL},
};

/* memory.limit_in_bytes and memory.memsw.limit_in_bytes: EBUSY is "less than what is in use". */
static int below_use(const struct cgroup_setting *s, struct oci_err *err)
{
	bool swap = strncmp(s->file, "memory.memsw.", 13) == 0;
	own_ptr char *used = NULL;

	if (cgroup_read(s->dir, swap ? "memory.memsw.usage_in_bytes" : "memory.usage_in_bytes",
			&used) < 0)
		return 0;
	err_set(err, FAULT_CONFIG, "memory.%s: %s is below current use, %s bytes",
		swap ? "swap" : "limit", s->text, used);
	err->errnum = EBUSY;
	return 1;
}

static int write_failed(const struct cgroup_setting *s, int errnum,
			const struct json_object *record, struct oci_err *err)
{
	struct cgroup_hierarchy h = {.mount = "", .path = ""};
	char name[16];

	if (errnum == EBUSY && strncmp(s->file, "memory.", 7) == 0 && below_use(s, err))
		return cgroup_setting_at(s, err);
	cgroup_controller(s, s->v2, name);
	(void)(s->v2 ? cgroup_find_v2(record, &h) : cgroup_find_v1(record, name, &h));
	err_sys(err, errnum, "cannot write \"%s\" to \"%s%s/%s\"", s->text, h.mount, h.path,
		s->file);
	for (unsigned i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].errnum == errnum &&
		    strncmp(s->file, meanings[i].file, strlen(meanings[i].file)) == 0) {
			err->fault = meanings[i].fault;
			if (meanings[i].hint)
				err_hint(err, "%s", meanings[i].hint);
			break;
		}
	return cgroup_setting_at(s, err);
}

/* A control file takes one line a write. */
static int write_lines(const struct cgroup_setting *s)
{
	own_ptr char *text = strdup(s->text);
	char *c = text, *line;

	if (!text)
		return -1;
	if (!strchr(text, '\n'))
		return fd_write_control(s->dir, s->file, text);
	while ((line = strsep(&c, "\n")))
		if (*line && fd_write_control(s->dir, s->file, line) < 0)
			return -1;
	return 0;
}

/* memory.kernel, which some kernels refuse and others take and forget: cgroup_warnings(). */
static bool is_forgotten(const struct cgroup_setting *s)
{
	return errno == EOPNOTSUPP && strcmp(s->file, "memory.kmem.limit_in_bytes") == 0;
}

static bool may_miss(const struct cgroup_setting *s)
{
	return (s->limit->flags & LIMIT_OPTIONAL) ||
	       ((s->limit->flags & LIMIT_DEFAULT_0) && strcmp(s->text, "0") == 0);
}

/*
 * v2 takes CPUs and nodes that the cgroup above has not, and silently gives the
 * container all that are there instead.
 */
static int check_cpuset(const struct cgroup_setting *s, struct oci_err *err)
{
	bool cpus = strcmp(s->file, "cpuset.cpus") == 0;
	own_ptr char *text = NULL;
	struct cgroup_set want, got;

	if (!s->v2 || (!cpus && strcmp(s->file, "cpuset.mems") != 0))
		return 0;
	if (cgroup_read(s->dir, cpus ? "cpuset.cpus.effective" : "cpuset.mems.effective", &text) <
		    0 ||
	    !cgroup_parse_list(text, &got) || !cgroup_parse_list(s->text, &want) ||
	    cgroup_set_within(&want, &got))
		return 0;
	err_set(err, FAULT_CONFIG, "%s \"%s\": the cgroup above has only \"%s\" of these", s->file,
		s->text, text);
	return cgroup_setting_at(s, err);
}

/*
 * Writes them all. A value that is refused because another is still the old one
 * (swap below memory, burst above quota) is tried again after the others, as
 * long as any is accepted.
 */
static int write_settings(struct cgroup_settings *settings, const struct json_object *record,
			  struct cgroup_undo *undo, struct oci_err *err)
{
	for (size_t i = 0; undo && i < settings->n; i++)
		if (settings->items[i].text && cgroup_undo_note(undo, &settings->items[i], err) < 0)
			return -1;
	for (size_t left = settings->n, before = left + 1; left > 0 && left < before;) {
		before = left;
		left = 0;
		for (size_t i = 0; i < settings->n; i++) {
			struct cgroup_setting *s = &settings->items[i];

			if (!s->text)
				continue;
			if (write_lines(s) < 0 && !is_forgotten(s) &&
			    !(errno == ENOENT && may_miss(s))) {
				if (errno != EINVAL)
					return write_failed(s, errno, record, err);
				left++;
				continue;
			}
			if (check_cpuset(s, err) < 0)
				return -1;
			free(steal_ptr(&s->text));
		}
	}
	for (size_t i = 0; i < settings->n; i++)
		if (settings->items[i].text)
			return write_failed(&settings->items[i], EINVAL, record, err);
	return 0;
}

static int apply(const struct json_object *record, struct cgroup_settings *settings,
		 enum cgroup_phase phase, struct limit_dirs *dirs, struct cgroup_undo *undo,
		 struct oci_err *err)
{
	struct cgroup_wanted needed = {0};

	for (size_t i = 0; i < settings->n; i++)
		if (choose_version(&settings->items[i], record, &needed, err) < 0)
			return -1;
	if (enable_controllers(record, settings, &needed, phase, err) < 0)
		return -1;
	for (size_t i = 0; i < settings->n; i++)
		if (find_dir(&settings->items[i], record, dirs, err) < 0 ||
		    cgroup_format(&settings->items[i], err) < 0)
			return -1;
	return write_settings(settings, record, undo, err);
}

int cgroup_limits_apply(const struct json_object *record, const struct json_object *resources,
			enum cgroup_phase phase, struct cgroup_undo *undo, struct oci_err *err)
{
	struct cgroup_settings settings = {0};
	struct limit_dirs dirs = {0};
	int result;

	if (cgroup_count(record) == 0)
		return 0;
	if (cgroup_collect(resources, phase, &settings, err) < 0)
		return -1;
	result = apply(record, &settings, phase, &dirs, undo, err);
	cgroup_settings_free(&settings);
	close_dirs(&dirs);
	return result;
}
