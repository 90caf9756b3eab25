/* How the values of linux.resources are written to control files. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_convert.h"
#include "kernel/cgroup_table.h"
#include "kernel/cgroup_tree.h"

__attribute__((format(printf, 3, 4))) static int set_text(struct cgroup_setting *s,
							  struct oci_err *err, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&s->text, fmt, args);
	va_end(args);
	if (n >= 0)
		return 0;
	s->text = NULL;
	return err_sys(err, ENOMEM, "cannot plan the limits");
}

/* "memory.limit", for messages. */
static int refuse(const struct cgroup_setting *s, struct oci_err *err, const char *why)
{
	return err_set(err, FAULT_CONFIG, "%s%s%s: %s", s->limit->object,
		       s->limit->property ? "." : "", s->limit->property ? s->limit->property : "",
		       why);
}

/* A control file with one number or "max" (INT64_MAX); false if there is none. */
static bool read_number(int dir, const char *file, int64_t *ret_value)
{
	own_ptr char *text = NULL;

	if (cgroup_read(dir, file, &text) < 0)
		return false;
	if (strcmp(text, "max") == 0) {
		*ret_value = INT64_MAX;
		return true;
	}
	return num_int(text, 0, INT64_MAX, ret_value);
}

int cgroup_format_number(struct cgroup_setting *s, struct oci_err *err)
{
	/* Whatever is negative means no limit. */
	if (json_object_get_int64(s->value) < 0 && json_object_get_uint64(s->value) == 0)
		return set_text(s, err, "-1");
	/* As it stands: it may be unsigned. */
	return set_text(s, err, "%s", json_object_to_json_string(s->value));
}

int cgroup_format_text(struct cgroup_setting *s, struct oci_err *err)
{
	return set_text(s, err, "%s", json_object_get_string(s->value));
}

int cgroup_format_boolean(struct cgroup_setting *s, struct oci_err *err)
{
	return set_text(s, err, json_object_get_boolean(s->value) ? "1" : "0");
}

int cgroup_format_true(struct cgroup_setting *s, struct oci_err *err)
{
	return json_object_get_boolean(s->value) ? set_text(s, err, "1") : 0;
}

/* v2 has none that could be switched off. */
int cgroup_format_oom_killer(struct cgroup_setting *s, struct oci_err *err)
{
	if (!json_object_get_boolean(s->value))
		return 0;
	return err_set(err, FAULT_UNSUPPORTED,
		       "memory.disableOOMKiller: there is no such limit in cgroup v2");
}

int cgroup_format_nothing(struct cgroup_setting *s, struct oci_err *err)
{
	(void)s, (void)err;
	return 0;
}

int cgroup_format_max(struct cgroup_setting *s, struct oci_err *err)
{
	int64_t value = json_object_get_int64(s->value);

	return value < 0 ? set_text(s, err, "max") : set_text(s, err, "%" PRId64, value);
}

/*
 * v2 takes any limit and ends processes until it is met; checkBeforeUpdate asks
 * for the answer of v1, an error.
 */
int cgroup_format_memory_max(struct cgroup_setting *s, struct oci_err *err)
{
	const struct json_object *memory = json_member(s->resources, "memory");
	int64_t limit = json_object_get_int64(s->value), used;

	if (limit > 0 && json_true(memory, "checkBeforeUpdate") &&
	    read_number(s->dir, "memory.current", &used) && used > limit)
		return err_set(err, FAULT_CONFIG,
			       "memory.limit: %" PRId64 " is less than the %" PRId64
			       " bytes that are in use",
			       limit, used);
	return cgroup_format_max(s, err);
}

/* Swap follows memory.limit: -1 if nothing is said about it. */
int cgroup_format_unlimited(struct cgroup_setting *s, struct oci_err *err)
{
	const struct json_object *memory = json_member(s->resources, "memory");

	if (json_object_get_int64(s->value) >= 0 || json_int(memory, "swap", 0) != 0)
		return 0;
	return set_text(s, err, s->v2 ? "max" : "-1");
}

/* A kernel without swap accounting has no such file; no limit is then what there is. */
static bool no_swap_file(const struct cgroup_setting *s)
{
	return faccessat(s->dir, s->file, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

/* memory.swap counts memory and swap together; v2 counts swap alone. */
int cgroup_format_swap(struct cgroup_setting *s, struct oci_err *err)
{
	const struct json_object *memory = json_member(s->resources, "memory");
	int64_t both = json_object_get_int64(s->value), limit = json_int(memory, "limit", 0);

	if (both < 0)
		return no_swap_file(s) ? 0 : set_text(s, err, s->v2 ? "max" : "-1");
	if (limit > 0 && both < limit)
		return refuse(s, err, "less than memory.limit, which it includes");
	if (!s->v2)
		return set_text(s, err, "%" PRId64, both);
	/* An update of swap alone. */
	if (limit == 0 && !read_number(s->dir, "memory.max", &limit))
		return refuse(s, err, "cannot be limited without memory.limit");
	if (limit < 0 || limit == INT64_MAX)
		return refuse(s, err, "cannot be limited without memory.limit");
	if (both < limit)
		return refuse(s, err, "less than the memory limit, which it includes");
	if (both == limit && no_swap_file(s))
		return 0;
	return set_text(s, err, "%" PRId64, both - limit);
}

int cgroup_format_deprecated(struct cgroup_setting *s, struct oci_err *err)
{
	if (json_object_get_int64(s->value) < 0)
		return 0;
	if (!s->v2)
		return cgroup_format_number(s, err);
	err_set(err, FAULT_UNSUPPORTED, "%s.%s: cgroup v2 has no such limit", s->limit->object,
		s->limit->property);
	return err_hint(err, "v2 counts kernel memory in memory.limit");
}

int cgroup_format_shares(struct cgroup_setting *s, struct oci_err *err)
{
	uint64_t shares = json_object_get_uint64(s->value);

	/* The kernel would take the nearest that it allows, without a word. */
	if (shares < 2 || shares > 262144)
		return refuse(s, err, "not from 2 to 262144");
	return cgroup_format_number(s, err);
}

/* A group that is idle has none: the kernel forgets it, or refuses it when cpu.idle came first. */
int cgroup_format_weight(struct cgroup_setting *s, struct oci_err *err)
{
	uint64_t shares = json_object_get_uint64(s->value);

	if (shares < 2 || shares > 262144)
		return refuse(s, err, "not from 2 to 262144");
	if (json_int(json_member(s->resources, "cpu"), "idle", 0) == 1)
		return 0;
	return set_text(s, err, "%" PRIu64,
			cgroup_weight_of_shares(json_object_get_uint64(s->value)));
}

/* "QUOTA PERIOD"; without the second, the period stays. */
int cgroup_format_cpu_max(struct cgroup_setting *s, struct oci_err *err)
{
	int64_t quota = json_object_get_int64(s->value);
	uint64_t period = json_uint(json_member(s->resources, "cpu"), "period", 0);
	char text[48];

	snprintf(text, sizeof text, quota < 0 ? "max" : "%" PRId64, quota);
	return period ? set_text(s, err, "%s %" PRIu64, text, period)
		      : set_text(s, err, "%s", text);
}

/* Without a quota: with the one that is there. */
int cgroup_format_period(struct cgroup_setting *s, struct oci_err *err)
{
	own_ptr char *now = NULL;

	if (json_int(json_member(s->resources, "cpu"), "quota", 0) != 0)
		return 0;
	if (cgroup_read(s->dir, s->file, &now) < 0)
		return err_sys(err, errno, "cannot read %s of the container's cgroup", s->file);
	now[strcspn(now, " ")] = '\0';
	return set_text(s, err, "%s %s", now, json_object_to_json_string(s->value));
}

/* BFQ's file has the numbers of v1. */
static uint64_t io_weight(const struct cgroup_setting *s, uint64_t weight)
{
	return strcmp(s->file, "io.weight") == 0 ? cgroup_io_weight(weight) : weight;
}

int cgroup_format_io_weight(struct cgroup_setting *s, struct oci_err *err)
{
	return set_text(s, err, "%" PRIu64, io_weight(s, json_object_get_uint64(s->value)));
}

static int device_text(struct cgroup_setting *s, struct oci_err *err, const char *word,
		       const char *value)
{
	return set_text(s, err, "%" PRId64 ":%" PRId64 " %s%s", json_int(s->value, "major", 0),
			json_int(s->value, "minor", 0), word, value);
}

int cgroup_format_device_weight(struct cgroup_setting *s, struct oci_err *err)
{
	char value[24];

	snprintf(value, sizeof value, "%" PRIu64, json_uint(s->value, s->limit->member, 0));
	return device_text(s, err, "", value);
}

int cgroup_format_io_device_weight(struct cgroup_setting *s, struct oci_err *err)
{
	char value[24];

	snprintf(value, sizeof value, "%" PRIu64,
		 io_weight(s, json_uint(s->value, s->limit->member, 0)));
	return device_text(s, err, "", value);
}

int cgroup_format_rate(struct cgroup_setting *s, struct oci_err *err)
{
	return device_text(s, err, "", json_object_to_json_string(json_member(s->value, "rate")));
}

static const struct {
	const char *property, *word;
} io_max_words[] = {
	{"throttleReadBpsDevice", "rbps="},
	{"throttleWriteBpsDevice", "wbps="},
	{"throttleReadIOPSDevice", "riops="},
	{"throttleWriteIOPSDevice", "wiops="},
};

/* A rate of 0 takes the limit away. */
int cgroup_format_io_max(struct cgroup_setting *s, struct oci_err *err)
{
	uint64_t rate = json_uint(s->value, "rate", 0);

	for (unsigned i = 0; i < ARRAY_SIZE(io_max_words); i++)
		if (strcmp(io_max_words[i].property, s->limit->property) == 0)
			return device_text(
				s, err, io_max_words[i].word,
				rate ? json_object_to_json_string(json_member(s->value, "rate"))
				     : "max");
	return refuse(s, err, "unknown");
}

/* The place has only the end of the file's name: "hugetlb." "2MB" ".max". */
int cgroup_format_hugepages(struct cgroup_setting *s, struct oci_err *err)
{
	const char *size = json_string(s->value, "pageSize");
	char *file;

	if (!size || strchr(size, '/'))
		return refuse(s, err, "pageSize is no size of a page");
	if (asprintf(&file, "hugetlb.%s.%s", size, s->file) < 0)
		return err_sys(err, ENOMEM, "cannot plan the limits");
	free(s->file);
	s->file = file;
	return set_text(s, err, "%s", json_object_to_json_string(json_member(s->value, "limit")));
}

int cgroup_format_priority(struct cgroup_setting *s, struct oci_err *err)
{
	return set_text(s, err, "%s %" PRIu64, json_string(s->value, "name"),
			json_uint(s->value, "priority", 0));
}

int cgroup_format_rdma(struct cgroup_setting *s, struct oci_err *err)
{
	char handles[40] = "", objects[40] = "";

	if (json_has(s->value, "hcaHandles"))
		snprintf(handles, sizeof handles, " hca_handle=%" PRIu64,
			 json_uint(s->value, "hcaHandles", 0));
	if (json_has(s->value, "hcaObjects"))
		snprintf(objects, sizeof objects, " hca_object=%" PRIu64,
			 json_uint(s->value, "hcaObjects", 0));
	return set_text(s, err, "%s%s%s", s->key, handles, objects);
}

/* Files that do something to processes, or to who may have them: no limits. */
static bool is_command(const char *file)
{
	static const char *const commands[] = {"cgroup.procs", "cgroup.threads", "cgroup.kill",
					       "cgroup.freeze", "cgroup.type"};

	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i], file) == 0)
			return true;
	return false;
}

int cgroup_check_unified(const struct cgroup_setting *s, struct oci_err *err)
{
	if (is_command(s->key))
		err_set(err, FAULT_CONFIG, "\"%s\" is no limit: it acts on the processes", s->key);
	else if (strchr(s->key, '/') || !strchr(s->key, '.') || s->key[0] == '.')
		err_set(err, FAULT_CONFIG, "\"%s\" is not the name of a cgroup's control file",
			s->key);
	else
		return 0;
	return cgroup_setting_at(s, err);
}

int cgroup_format_unified(struct cgroup_setting *s, struct oci_err *err)
{
	s->file = strdup(s->key);
	if (!s->file)
		return err_sys(err, ENOMEM, "cannot plan the limits");
	return cgroup_format_text(s, err);
}
