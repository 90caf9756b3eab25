/* Memory, swap and huge pages. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_stats.h"
#include "kernel/cgroup_tree.h"

/* ---- v1 ------------------------------------------------------------------------------------- */

static const struct {
	const char *suffix, *key;
} entry_files[] = {
	{"limit_in_bytes", "limit"},
	{"usage_in_bytes", "usage"},
	{"max_usage_in_bytes", "max"},
	{"failcnt", "failcnt"},
};

/* prefix: "memory.", "memory.memsw.", "hugetlb.2MB." */
static struct json_object *entry_v1(int dir, const char *prefix)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(entry_files); i++) {
		char file[300];
		uint64_t value;

		snprintf(file, sizeof file, "%s%s", prefix, entry_files[i].suffix);
		if (cgroup_stats_number(dir, file, &value))
			cgroup_stats_add(object, entry_files[i].key, value);
	}
	return object;
}

/* ---- v2 ------------------------------------------------------------------------------------- */

static uint64_t event(int dir, const char *file, const char *word)
{
	own_ptr char *text = NULL;

	return cgroup_read(dir, file, &text) < 0 ? 0 : cgroup_stats_word(text, word, 1);
}

/* prefix: "memory.", "memory.swap." The numbers of base are added: v1 counts both together. */
static struct json_object *entry_v2(int dir, const char *prefix, uint64_t base_usage,
				    uint64_t base_limit)
{
	struct json_object *object = json_object_new_object();
	uint64_t value;
	char file[64];

	snprintf(file, sizeof file, "%smax", prefix);
	if (cgroup_stats_number(dir, file, &value))
		cgroup_stats_add(object, "limit",
				 value == UINT64_MAX || base_limit == UINT64_MAX
					 ? UINT64_MAX
					 : value + base_limit);
	snprintf(file, sizeof file, "%scurrent", prefix);
	if (cgroup_stats_number(dir, file, &value))
		cgroup_stats_add(object, "usage", value + base_usage);
	snprintf(file, sizeof file, "%speak", prefix);
	if (cgroup_stats_number(dir, file, &value))
		cgroup_stats_add(object, "max", value);
	snprintf(file, sizeof file, "%sevents", prefix);
	cgroup_stats_add(object, "failcnt", event(dir, file, "max"));
	return object;
}

/* ---- Both ----------------------------------------------------------------------------------- */

/* memory.stat as an object. */
static struct json_object *raw(char *text)
{
	struct json_object *object = json_object_new_object();
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *space = strchr(line, ' ');
		uint64_t value;

		if (!space)
			continue;
		*space = '\0';
		if (num_uint(space + 1, 0, UINT64_MAX, &value))
			cgroup_stats_add(object, line, value);
	}
	return object;
}

struct json_object *cgroup_stats_memory(int dir, bool v2)
{
	struct json_object *object = json_object_new_object();
	uint64_t usage = 0, limit = UINT64_MAX;
	own_ptr char *stat = NULL;

	if (dir < 0 || cgroup_read(dir, "memory.stat", &stat) < 0)
		return object;
	cgroup_stats_add(object, "cache", cgroup_stats_word(stat, v2 ? "file" : "cache", 1));
	if (v2) {
		(void)cgroup_stats_number(dir, "memory.current", &usage);
		(void)cgroup_stats_number(dir, "memory.max", &limit);
		json_object_object_add(object, "usage", entry_v2(dir, "memory.", 0, 0));
		json_object_object_add(object, "swap", entry_v2(dir, "memory.swap.", usage, limit));
	} else {
		json_object_object_add(object, "usage", entry_v1(dir, "memory."));
		json_object_object_add(object, "swap", entry_v1(dir, "memory.memsw."));
		json_object_object_add(object, "kernel", entry_v1(dir, "memory.kmem."));
		json_object_object_add(object, "kernelTCP", entry_v1(dir, "memory.kmem.tcp."));
	}
	json_object_object_add(object, "raw", raw(stat));
	return object;
}

/* ---- Huge pages ----------------------------------------------------------------------------- */

static struct json_object *pages(int dir, const char *size, bool v2)
{
	struct json_object *object;
	char name[300];
	uint64_t value;

	if (!v2) {
		snprintf(name, sizeof name, "hugetlb.%s.rsvd.usage_in_bytes", size);
		/* Reservations, where the kernel counts them: these are what is limited. */
		snprintf(name, sizeof name, "hugetlb.%s.%s", size,
			 cgroup_stats_number(dir, name, &value) ? "rsvd." : "");
		object = entry_v1(dir, name);
		json_object_object_del(object, "limit");
		return object;
	}
	object = json_object_new_object();
	snprintf(name, sizeof name, "hugetlb.%s.rsvd.current", size);
	if (!cgroup_stats_number(dir, name, &value)) {
		snprintf(name, sizeof name, "hugetlb.%s.current", size);
		(void)cgroup_stats_number(dir, name, &value);
	}
	cgroup_stats_add(object, "usage", value);
	snprintf(name, sizeof name, "hugetlb.%s.events", size);
	cgroup_stats_add(object, "failcnt", event(dir, name, "max"));
	return object;
}

/* The page size in "hugetlb.2MB.max"; false if it is another file. */
static bool page_size(const char *file, const char *suffix, char size[64])
{
	static const char prefix[] = "hugetlb.";
	size_t len = strlen(file), end = strlen(suffix), begin = sizeof prefix - 1;

	if (len <= begin + end || len - begin - end >= 64 || strncmp(file, prefix, begin) != 0 ||
	    strcmp(file + len - end, suffix) != 0)
		return false;
	memcpy(size, file + begin, len - begin - end);
	size[len - begin - end] = '\0';
	return !strchr(size, '.');
}

struct json_object *cgroup_stats_hugetlb(int dir, bool v2)
{
	struct json_object *object = json_object_new_object();
	own_fd int fd = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	char size[64];

	if (!list)
		return object;
	steal_fd(&fd);
	for (struct dirent *e; (e = readdir(list));)
		if (page_size(e->d_name, v2 ? ".max" : ".limit_in_bytes", size))
			json_object_object_add(object, size, pages(dir, size, v2));
	closedir(list);
	return object;
}
