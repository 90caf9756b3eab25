/* oci-update: change the limits of a container. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "lifecycle/lifecycle.h"
#include "oci/size.h"
#include "oci/validate.h"
#include "tool.h"

static const char *resources_file, *l3_cache, *mem_bw;

enum kind { NUMBER, SIZE, TEXT };

/* An option that is one property of linux.resources. */
static struct limit {
	const char *option, *object, *property;
	enum kind kind;
	const char *value;
} limits[] = {
	{"blkio-weight", "blockIO", "weight", NUMBER, NULL},
	{"cpu-period", "cpu", "period", NUMBER, NULL},
	{"cpu-quota", "cpu", "quota", NUMBER, NULL},
	{"cpu-burst", "cpu", "burst", NUMBER, NULL},
	{"cpu-share", "cpu", "shares", NUMBER, NULL},
	{"cpu-rt-period", "cpu", "realtimePeriod", NUMBER, NULL},
	{"cpu-rt-runtime", "cpu", "realtimeRuntime", NUMBER, NULL},
	{"cpu-idle", "cpu", "idle", NUMBER, NULL},
	{"cpuset-cpus", "cpu", "cpus", TEXT, NULL},
	{"cpuset-mems", "cpu", "mems", TEXT, NULL},
	{"memory", "memory", "limit", SIZE, NULL},
	{"memory-reservation", "memory", "reservation", SIZE, NULL},
	{"memory-swap", "memory", "swap", SIZE, NULL},
	{"kernel-memory", "memory", "kernel", SIZE, NULL},
	{"kernel-memory-tcp", "memory", "kernelTCP", SIZE, NULL},
	{"pids-limit", "pids", "limit", NUMBER, NULL},
};

static const struct opt options[] = {
	{'r', "resources", "FILE", OPT_PATH, &resources_file,
	 "linux.resources as JSON; \"-\": standard input"},
	{0, "blkio-weight", "WEIGHT", OPT_STRING, &limits[0].value,
	 "share of block I/O, 10 to 1000"},
	{0, "cpu-period", "USEC", OPT_STRING, &limits[1].value, "period of --cpu-quota"},
	{0, "cpu-quota", "USEC", OPT_STRING, &limits[2].value,
	 "CPU time in a period; -1: no limit"},
	{0, "cpu-burst", "USEC", OPT_STRING, &limits[3].value, "unused quota that may be saved up"},
	{0, "cpu-share", "SHARES", OPT_STRING, &limits[4].value, "share of CPU time, 2 to 262144"},
	{0, "cpu-rt-period", "USEC", OPT_STRING, &limits[5].value, "period of --cpu-rt-runtime"},
	{0, "cpu-rt-runtime", "USEC", OPT_STRING, &limits[6].value,
	 "realtime CPU time in a period"},
	{0, "cpu-idle", "N", OPT_STRING, &limits[7].value, "1: run only when nothing else does"},
	{0, "cpuset-cpus", "LIST", OPT_STRING, &limits[8].value, "processors to run on, as 0-3,7"},
	{0, "cpuset-mems", "LIST", OPT_STRING, &limits[9].value, "memory nodes to use"},
	{0, "memory", "SIZE", OPT_STRING, &limits[10].value, "limit of memory; -1: no limit"},
	{0, "memory-reservation", "SIZE", OPT_STRING, &limits[11].value,
	 "memory that is left to it"},
	{0, "memory-swap", "SIZE", OPT_STRING, &limits[12].value,
	 "limit of memory and swap together; -1: no limit"},
	{0, "kernel-memory", "SIZE", OPT_STRING, &limits[13].value, "limit of kernel memory (old)"},
	{0, "kernel-memory-tcp", "SIZE", OPT_STRING, &limits[14].value,
	 "limit of TCP buffers (cgroup v1)"},
	{0, "pids-limit", "N", OPT_STRING, &limits[15].value, "number of processes; -1: no limit"},
	{0, "l3-cache-schema", "SCHEMA", OPT_STRING, &l3_cache, "Intel RDT: share of the L3 cache"},
	{0, "mem-bw-schema", "SCHEMA", OPT_STRING, &mem_bw, "Intel RDT: share of memory bandwidth"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-update",
	.operands = "CONTAINER-ID",
	.purpose = "change the limits of a container",
	.details = "SIZE is a number of bytes, or one with k, m, g or t: 512M, 1.5g. All changes "
		   "are\n"
		   "made, or none.",
	.example = "oci-update --memory 512M --pids-limit 100 web",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

static struct json_object *parse_limit(const struct limit *l)
{
	int64_t value;
	uint64_t large;

	if (l->kind == TEXT)
		return json_object_new_string(l->value);
	if (l->kind == SIZE)
		return size_parse(l->value, &value) ? json_object_new_int64(value) : NULL;
	if (num_int(l->value, INT64_MIN, INT64_MAX, &value))
		return json_object_new_int64(value);
	return num_uint(l->value, 0, UINT64_MAX, &large) ? json_object_new_uint64(large) : NULL;
}

static int add_limit(struct json_object *resources, const struct limit *l, struct oci_err *err)
{
	struct json_object *value = parse_limit(l), *object = json_member(resources, l->object);

	if (!value)
		return err_set(err, FAULT_USAGE, "option \"--%s\" needs a %s, not \"%s\"",
			       l->option, l->kind == SIZE ? "size (512M) or -1" : "number",
			       l->value);
	if (!object) {
		object = json_object_new_object();
		json_object_object_add(resources, l->object, object);
	}
	json_object_object_add(object, l->property, value);
	return 0;
}

/* What the options say. NULL with *err. */
static struct json_object *from_options(struct oci_err *err)
{
	own_json struct json_object *resources = json_object_new_object();
	own_findings struct findings found = {0};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].value && add_limit(resources, &limits[i], err) < 0)
			return NULL;
	validate_resources(resources, &found);
	for (size_t i = 0; i < found.n; i++)
		if (found.items[i].severity == FINDING_ERROR) {
			err_set(err, FAULT_USAGE, "%s: %s", found.items[i].pointer,
				found.items[i].message);
			return NULL;
		}
	return steal_ptr(&resources);
}

static int read_text(char **ret_text, size_t *ret_len, struct oci_err *err)
{
	bool standard = strcmp(resources_file, "-") == 0;
	own_fd int file = -1;

	if (!standard) {
		file = open(resources_file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (file < 0)
			return err_sys(err, errno, "cannot open \"%s\"", resources_file);
	}
	if (fd_read_all(standard ? 0 : file, CONFIG_SIZE_MAX, ret_text, ret_len) < 0)
		return err_sys(err, errno, "cannot read the resources from \"%s\"",
			       standard ? "standard input" : resources_file);
	return 0;
}

/* Warnings go to stderr: properties that are not known. NULL with *err. */
static struct json_object *from_file(struct oci_err *err)
{
	const char *name = strcmp(resources_file, "-") == 0 ? "standard input" : resources_file;
	own_json struct json_object *resources = NULL;
	own_findings struct findings found = {0};
	own_ptr char *text = NULL, *report = NULL;
	size_t len;

	if (read_text(&text, &len, err) < 0)
		return NULL;
	resources = json_parse(text, len, name, err);
	if (!resources)
		return NULL;
	validate_resources(resources, &found);
	if (found.n_errors) {
		finding_fail(&found, text, len, name, err);
		return NULL;
	}
	if (found.n_warnings) {
		finding_locate(&found, text, len);
		report = finding_report(&found, text, len, name, false);
		dprintf(2, "%s", report ? report : "");
	}
	return steal_ptr(&resources);
}

static bool any_option(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].value)
			return true;
	return false;
}

static int update(struct container *c, struct json_object *resources, struct oci_err *err)
{
	if (json_object_object_length(resources) > 0 && lifecycle_update(c, resources, err) < 0)
		return -1;
	return l3_cache || mem_bw ? lifecycle_update_rdt(c, l3_cache, mem_bw, err) : 0;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	own_json struct json_object *resources = NULL;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	if (resources_file && any_option()) {
		err_set(&err, FAULT_USAGE, "either --resources or options that say a limit");
		return tool_fail(&err);
	}
	if (!resources_file && !any_option() && !l3_cache && !mem_bw) {
		err_set(&err, FAULT_USAGE, "nothing is to be changed: no limit is given");
		return tool_fail(&err);
	}
	resources = resources_file ? from_file(&err) : from_options(&err);
	if (!resources)
		return tool_fail(&err);
	c = tool_open(argv[0], LOCK_WAIT, &err);
	/* Pointers are into the document of resources: no line of config.json is at fault. */
	if (!c || update(c, resources, &err) < 0)
		return tool_fail(&err);
	tool_warn(c);
	return 0;
}
