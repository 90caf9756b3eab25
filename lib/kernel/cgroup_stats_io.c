/* Block devices and RDMA. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_stats.h"
#include "kernel/cgroup_tree.h"

/* Each with the files that have it, of which the first that says something counts. */
static const struct {
	const char *key;
	const char *files[3];
} v1_files[] = {
	{"ioServiceBytesRecursive",
	 {"blkio.bfq.io_service_bytes_recursive", "blkio.throttle.io_service_bytes_recursive",
	  "blkio.io_service_bytes_recursive"}},
	{"ioServicedRecursive",
	 {"blkio.bfq.io_serviced_recursive", "blkio.throttle.io_serviced_recursive",
	  "blkio.io_serviced_recursive"}},
	{"ioQueueRecursive", {"blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive"}},
	{"ioServiceTimeRecursive",
	 {"blkio.bfq.io_service_time_recursive", "blkio.io_service_time_recursive"}},
	{"ioWaitTimeRecursive",
	 {"blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive"}},
	{"ioMergedRecursive", {"blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive"}},
	{"ioTimeRecursive", {"blkio.bfq.time_recursive", "blkio.time_recursive"}},
	{"sectorsRecursive", {"blkio.bfq.sectors_recursive", "blkio.sectors_recursive"}},
};

/* "8:16" at the beginning of a line; *ret_rest is behind it. */
static bool parse_device(char *line, uint64_t *ret_major, uint64_t *ret_minor, char **ret_rest)
{
	char *colon = strchr(line, ':'), *space = strchr(line, ' ');

	if (!colon || !space || colon > space)
		return false;
	*colon = *space = '\0';
	*ret_rest = space + 1;
	return num_uint(line, 0, UINT32_MAX, ret_major) &&
	       num_uint(colon + 1, 0, UINT32_MAX, ret_minor);
}

static void add_entry(struct json_object *array, uint64_t major, uint64_t minor, const char *op,
		      uint64_t value)
{
	struct json_object *entry = json_object_new_object();

	cgroup_stats_add(entry, "major", major);
	cgroup_stats_add(entry, "minor", minor);
	if (op)
		json_object_object_add(entry, "op", json_object_new_string(op));
	cgroup_stats_add(entry, "value", value);
	json_object_array_add(array, entry);
}

/* "8:16 Read 4096", or "8:16 4096"; the line "Total 4096" is about no device. */
static struct json_object *lines_v1(char *text)
{
	struct json_object *array = json_object_new_array();
	char *line, *rest;

	while ((line = strsep(&text, "\n"))) {
		uint64_t major, minor, value;
		char *space;

		if (!parse_device(line, &major, &minor, &rest))
			continue;
		space = strchr(rest, ' ');
		if (space)
			*space = '\0';
		if (num_uint(space ? space + 1 : rest, 0, UINT64_MAX, &value))
			add_entry(array, major, minor, space ? rest : NULL, value);
	}
	return array;
}

static void io_v1(struct json_object *object, int dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(v1_files); i++) {
		own_json struct json_object *entries = NULL;

		for (size_t k = 0; k < ARRAY_SIZE(v1_files[i].files) && v1_files[i].files[k] &&
				   json_length(entries) == 0;
		     k++) {
			own_ptr char *text = NULL;

			if (cgroup_read(dir, v1_files[i].files[k], &text) < 0)
				continue;
			json_object_put(entries);
			entries = lines_v1(text);
		}
		if (json_length(entries) > 0)
			json_object_object_add(object, v1_files[i].key, steal_ptr(&entries));
	}
}

/* "8:16 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0" */
static void line_v2(char *line, struct json_object *bytes, struct json_object *counts)
{
	static const struct {
		const char *word, *op;
		bool bytes;
	} words[] = {
		{"rbytes", "Read", true}, {"wbytes", "Write", true}, {"dbytes", "Discard", true},
		{"rios", "Read", false},  {"wios", "Write", false},  {"dios", "Discard", false},
	};
	uint64_t major, minor, value;
	char *rest, *word;

	if (!parse_device(line, &major, &minor, &rest))
		return;
	while ((word = strsep(&rest, " "))) {
		char *number = strchr(word, '=');

		if (!number)
			continue;
		*number++ = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (strcmp(words[i].word, word) == 0 &&
			    num_uint(number, 0, UINT64_MAX, &value))
				add_entry(words[i].bytes ? bytes : counts, major, minor,
					  words[i].op, value);
	}
}

static void io_v2(struct json_object *object, int dir)
{
	struct json_object *bytes, *counts;
	own_ptr char *text = NULL;
	char *c, *line;

	if (cgroup_read(dir, "io.stat", &text) < 0)
		return;
	bytes = json_object_new_array();
	counts = json_object_new_array();
	json_object_object_add(object, "ioServiceBytesRecursive", bytes);
	json_object_object_add(object, "ioServicedRecursive", counts);
	for (c = text; (line = strsep(&c, "\n"));)
		line_v2(line, bytes, counts);
}

struct json_object *cgroup_stats_io(int dir, bool v2)
{
	struct json_object *object = json_object_new_object();

	if (dir >= 0 && v2)
		io_v2(object, dir);
	else if (dir >= 0)
		io_v1(object, dir);
	return object;
}

/* "mlx4_0 hca_handle=2 hca_object=2000", or "max" for a number. */
static struct json_object *rdma_lines(char *text)
{
	struct json_object *array = json_object_new_array();
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct json_object *entry;
		char *device = strsep(&line, " "), *word;

		if (!*device || !line)
			continue;
		entry = json_object_new_object();
		json_object_object_add(entry, "device", json_object_new_string(device));
		while ((word = strsep(&line, " "))) {
			char *number = strchr(word, '=');
			uint64_t value = UINT32_MAX;

			if (!number)
				continue;
			*number++ = '\0';
			if (strcmp(number, "max") == 0 || num_uint(number, 0, UINT32_MAX, &value))
				cgroup_stats_add(entry,
						 strcmp(word, "hca_handle") == 0 ? "hcaHandles"
										 : "hcaObjects",
						 value);
		}
		json_object_array_add(array, entry);
	}
	return array;
}

/* NULL without the controller, or without devices. */
struct json_object *cgroup_stats_rdma(int dir)
{
	own_ptr char *limit = NULL, *current = NULL;
	struct json_object *object;

	if (dir < 0 || cgroup_read(dir, "rdma.max", &limit) < 0 || !*limit ||
	    cgroup_read(dir, "rdma.current", &current) < 0)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "limit", rdma_lines(limit));
	json_object_object_add(object, "current", rdma_lines(current));
	return object;
}
