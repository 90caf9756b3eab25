/*
 * linux.resources.unified as properties of systemd's units: control files whose values systemd
 * would otherwise put back. What a text means that cannot be read is said when it is written to
 * its file.
 */
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_systemd.h"

enum { PERIOD_DEFAULT_US = 100 * 1000, ZSWAP_SINCE = 253 };

/* "max" or a number, as the first word of the text; false for anything else. */
static bool number_of(const char *text, uint64_t *ret)
{
	size_t n = strcspn(text, " \n");
	own_ptr char *word = strndup(text, n);

	*ret = UINT64_MAX;
	return word && (strcmp(word, "max") == 0 || num_uint(word, 0, UINT64_MAX, ret));
}

static void add_cpu_max(struct json_object *properties, const char *text)
{
	uint64_t quota, period = PERIOD_DEFAULT_US;
	const char *second = strchr(text, ' ');

	if (!number_of(text, &quota) || (second && !number_of(second + 1, &period)))
		return;
	cgroup_systemd_add_quota(properties, quota == UINT64_MAX ? -1 : (int64_t)quota, period);
}

/* "8:0"; false for anything else. */
static bool device_of(const char *word, uint64_t *major, uint64_t *minor)
{
	const char *colon = strchr(word, ':');
	own_ptr char *first = colon ? strndup(word, (size_t)(colon - word)) : NULL;

	return first && num_uint(first, 0, UINT32_MAX, major) &&
	       num_uint(colon + 1, 0, UINT32_MAX, minor);
}

/* "8:0 100", "8:0 rbps=1 wiops=max": words that a property belongs to, each with a number. */
static void add_device_line(struct json_object *properties, const char *file, char *line)
{
	static const struct {
		const char *file, *word, *property;
	} words[] = {
		{"io.weight", "", "IODeviceWeight"},
		{"io.latency", "target=", "IODeviceLatencyTargetUSec"},
		{"io.max", "rbps=", "IOReadBandwidthMax"},
		{"io.max", "wbps=", "IOWriteBandwidthMax"},
		{"io.max", "riops=", "IOReadIOPSMax"},
		{"io.max", "wiops=", "IOWriteIOPSMax"},
	};
	uint64_t major, minor, value;
	char *word = strsep(&line, " ");

	if (!word || !device_of(word, &major, &minor))
		return;
	while ((word = strsep(&line, " ")))
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			size_t n = strlen(words[i].word);

			if (strcmp(words[i].file, file) == 0 &&
			    strncmp(word, words[i].word, n) == 0 && number_of(word + n, &value))
				cgroup_systemd_add_device(properties, words[i].property, major,
							  minor, value);
		}
}

static void add_devices(struct json_object *properties, const char *file, const char *text)
{
	own_ptr char *copy = strdup(text);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n"));)
		add_device_line(properties, file, line);
}

static void add_number(struct json_object *properties, const char *file, const char *text)
{
	static const struct {
		const char *file, *property;
		int since;
	} same[] = {
		{"cpu.weight", "CPUWeight", 0},
		{"io.weight", "IOWeight", 0},
		{"memory.high", "MemoryHigh", 0},
		{"memory.low", "MemoryLow", 0},
		{"memory.max", "MemoryMax", 0},
		{"memory.min", "MemoryMin", 0},
		{"pids.max", "TasksMax", 0},
		{"memory.swap.max", "MemorySwapMax", 0},
		{"memory.zswap.max", "MemoryZSwapMax", ZSWAP_SINCE},
	};
	uint64_t value;

	if (strncmp(text, "default ", 8) == 0)
		text += 8;
	if (!number_of(text, &value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		if (strcmp(same[i].file, file) != 0)
			continue;
		cgroup_systemd_add_number(properties, same[i].property, value);
		if (same[i].since)
			cgroup_systemd_since(properties, same[i].since);
	}
}

static void add(struct json_object *properties, const char *file, const char *text)
{
	if (strcmp(file, "cpuset.cpus") == 0)
		cgroup_systemd_add_mask(properties, "AllowedCPUs", text);
	else if (strcmp(file, "cpuset.mems") == 0)
		cgroup_systemd_add_mask(properties, "AllowedMemoryNodes", text);
	else if (strcmp(file, "cpu.max") == 0)
		add_cpu_max(properties, text);
	else if (strcmp(file, "cpu.idle") == 0 && *text == '1')
		cgroup_systemd_add_idle(properties);
	else if (strncmp(file, "io.", 3) == 0 && strchr(text, ':'))
		add_devices(properties, file, text);
	else
		add_number(properties, file, text);
}

void cgroup_systemd_unified(const struct json_object *unified, struct json_object *properties)
{
	if (!unified)
		return;
	json_object_object_foreach ((struct json_object *)(uintptr_t)unified, key, value)
		if (json_object_is_type(value, json_type_string))
			add(properties, key, json_object_get_string(value));
}
