#include "kernel/cgroup_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

#define V1(controller, file, how) .v1 = {controller, file, cgroup_format_##how}
#define V2(controller, file, how) .v2 = {controller, file, cgroup_format_##how}

/*
 * The facts. v1: Documentation/admin-guide/cgroup-v1/; v2: cgroup-v2.rst. A
 * property without V2 (or V1) is an error there. The order is that of the
 * writes; what the kernel refuses with EINVAL because another is not written yet
 * (limit and swap, period, quota and burst) is tried again after those.
 */
static const struct cgroup_limit limits[] = {
	{"memory", "limit", 0, V1("memory", "memory.limit_in_bytes", number),
	 V2("memory", "memory.max", memory_max), NULL},
	{"memory", "swap", 0, V1("memory", "memory.memsw.limit_in_bytes", swap),
	 V2("memory", "memory.swap.max", swap), NULL},
	/* Unlimited memory without a word about swap: that is unlimited as well, as in runc. */
	{"memory", "limit", LIMIT_OPTIONAL, V1("memory", "memory.memsw.limit_in_bytes", unlimited),
	 V2("memory", "memory.swap.max", unlimited), NULL},
	{"memory", "reservation", 0, V1("memory", "memory.soft_limit_in_bytes", number),
	 V2("memory", "memory.low", max), NULL},
	/* Files without effect since Linux 5.16, or gone. -1 is what they are anyway. */
	{"memory", "kernel", 0, V1("memory", "memory.kmem.limit_in_bytes", deprecated),
	 V2("memory", NULL, deprecated), NULL},
	{"memory", "kernelTCP", 0, V1("memory", "memory.kmem.tcp.limit_in_bytes", deprecated),
	 V2("memory", NULL, deprecated), NULL},
	{"memory", "swappiness", LIMIT_ZERO, V1("memory", "memory.swappiness", number), {0}, NULL},
	{"memory", "disableOOMKiller", LIMIT_BOOL, V1("memory", "memory.oom_control", boolean),
	 V2("memory", NULL, oom_killer), NULL},
	/* False is what no kernel since 5.11 can do: a warning, cgroup_warnings(). */
	{"memory", "useHierarchy", LIMIT_BOOL, V1("memory", "memory.use_hierarchy", true),
	 V2("memory", NULL, nothing), NULL},

	{"cpu", "shares", 0, V1("cpu", "cpu.shares", shares), V2("cpu", "cpu.weight", weight),
	 NULL},
	{"cpu", "period", 0, V1("cpu", "cpu.cfs_period_us", number), V2("cpu", "cpu.max", period),
	 NULL},
	{"cpu", "quota", 0, V1("cpu", "cpu.cfs_quota_us", number), V2("cpu", "cpu.max", cpu_max),
	 NULL},
	{"cpu", "burst", LIMIT_ZERO | LIMIT_DEFAULT_0, V1("cpu", "cpu.cfs_burst_us", number),
	 V2("cpu", "cpu.max.burst", number), NULL},
	{"cpu", "realtimePeriod", 0, V1("cpu", "cpu.rt_period_us", number), {0}, NULL},
	{"cpu", "realtimeRuntime", 0, V1("cpu", "cpu.rt_runtime_us", number), {0}, NULL},
	{"cpu", "idle", LIMIT_ZERO | LIMIT_DEFAULT_0, V1("cpu", "cpu.idle", number),
	 V2("cpu", "cpu.idle", number), NULL},
	{"cpu", "cpus", 0, V1("cpuset", "cpuset.cpus", text), V2("cpuset", "cpuset.cpus", text),
	 NULL},
	{"cpu", "mems", 0, V1("cpuset", "cpuset.mems", text), V2("cpuset", "cpuset.mems", text),
	 NULL},

	{"pids", "limit", LIMIT_ZERO | LIMIT_LATE, V1("pids", "pids.max", max),
	 V2("pids", "pids.max", max), NULL},

	{"blockIO", "weight", 0, V1("blkio", "blkio.weight|blkio.bfq.weight", number),
	 V2("io", "io.bfq.weight|io.weight", io_weight), NULL},
	{"blockIO", "leafWeight", 0, V1("blkio", "blkio.leaf_weight", number), {0}, NULL},
	{"blockIO", "weightDevice", LIMIT_EACH,
	 V1("blkio", "blkio.weight_device|blkio.bfq.weight_device", device_weight),
	 V2("io", "io.bfq.weight|io.weight", io_device_weight), "weight"},
	{"blockIO",
	 "weightDevice",
	 LIMIT_EACH,
	 V1("blkio", "blkio.leaf_weight_device", device_weight),
	 {0},
	 "leafWeight"},
	{"blockIO", "throttleReadBpsDevice", LIMIT_EACH,
	 V1("blkio", "blkio.throttle.read_bps_device", rate), V2("io", "io.max", io_max), NULL},
	{"blockIO", "throttleWriteBpsDevice", LIMIT_EACH,
	 V1("blkio", "blkio.throttle.write_bps_device", rate), V2("io", "io.max", io_max), NULL},
	{"blockIO", "throttleReadIOPSDevice", LIMIT_EACH,
	 V1("blkio", "blkio.throttle.read_iops_device", rate), V2("io", "io.max", io_max), NULL},
	{"blockIO", "throttleWriteIOPSDevice", LIMIT_EACH,
	 V1("blkio", "blkio.throttle.write_iops_device", rate), V2("io", "io.max", io_max), NULL},

	/* Reservations where the kernel counts them (Linux 5.7), and in any case what is used. */
	{"hugepageLimits", NULL, LIMIT_EACH | LIMIT_OPTIONAL,
	 V1("hugetlb", "rsvd.limit_in_bytes", hugepages), V2("hugetlb", "rsvd.max", hugepages),
	 NULL},
	{"hugepageLimits", NULL, LIMIT_EACH, V1("hugetlb", "limit_in_bytes", hugepages),
	 V2("hugetlb", "max", hugepages), NULL},

	{"network", "classID", 0, V1("net_cls", "net_cls.classid", number), {0}, NULL},
	{"network",
	 "priorities",
	 LIMIT_EACH,
	 V1("net_prio", "net_prio.ifpriomap", priority),
	 {0},
	 NULL},

	{"rdma", NULL, LIMIT_EACH, V1("rdma", "rdma.max", rdma), V2("rdma", "rdma.max", rdma),
	 NULL},

	/* Last: who writes both means these. The file's name is the key, its beginning the
	   controller. */
	{"unified", NULL, LIMIT_EACH, {0}, V2("", NULL, unified), NULL},
};

static bool is_set(const struct cgroup_limit *limit, const struct json_object *value,
		   enum cgroup_phase phase)
{
	if (!value)
		return false;
	if (limit->flags & LIMIT_BOOL)
		return phase == PHASE_UPDATE || json_object_get_boolean(value);
	if (json_object_is_type(value, json_type_int))
		return (limit->flags & LIMIT_ZERO) || json_object_get_int64(value) != 0;
	if (json_object_is_type(value, json_type_string))
		return (limit->flags & LIMIT_EACH) ||
		       *json_object_get_string((struct json_object *)(uintptr_t)value);
	return true;
}

static int add(struct cgroup_settings *list, const struct cgroup_setting *s, struct oci_err *err)
{
	struct cgroup_setting *larger;

	if (s->limit->member && json_int(s->value, s->limit->member, 0) == 0)
		return 0;
	larger = realloc(list->items, (list->n + 1) * sizeof *larger);
	if (!larger)
		return err_sys(err, ENOMEM, "cannot plan the limits");
	larger[list->n++] = *s;
	list->items = larger;
	return 0;
}

static int add_each(struct cgroup_settings *list, struct cgroup_setting *s, struct oci_err *err)
{
	struct json_object *all = s->value;

	for (s->index = 0; s->index < json_length(all); s->index++) {
		s->value = json_item(all, s->index);
		if (add(list, s, err) < 0)
			return -1;
	}
	if (json_object_is_type(all, json_type_object)) {
		json_object_object_foreach (all, key, item) {
			s->key = key;
			s->value = item;
			if (s->limit->v2.format == cgroup_format_unified &&
			    cgroup_check_unified(s, err) < 0)
				return -1;
			if (add(list, s, err) < 0)
				return -1;
		}
	}
	return 0;
}

static bool in_phase(const struct cgroup_setting *s, enum cgroup_phase phase)
{
	bool late = (s->limit->flags & LIMIT_LATE) && json_object_get_int64(s->value) >= 0 &&
		    json_object_get_int64(s->value) <= 1;

	return phase == PHASE_UPDATE || late == (phase == PHASE_SETTLE);
}

static int collect(struct cgroup_settings *list, const struct json_object *resources,
		   enum cgroup_phase phase, struct oci_err *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		struct cgroup_setting s = {.limit = &limits[i], .resources = resources, .dir = -1};
		int result = 0;

		s.value = json_member(resources, limits[i].object);
		if (limits[i].property)
			s.value = json_member(s.value, limits[i].property);
		if (!is_set(&limits[i], s.value, phase) || !in_phase(&s, phase))
			continue;
		result = (limits[i].flags & LIMIT_EACH) ? add_each(list, &s, err)
							: add(list, &s, err);
		if (result < 0)
			return -1;
	}
	return 0;
}

int cgroup_collect(const struct json_object *resources, enum cgroup_phase phase,
		   struct cgroup_settings *ret_settings, struct oci_err *err)
{
	struct cgroup_settings list = {0};

	if (collect(&list, resources, phase, err) < 0) {
		cgroup_settings_free(&list);
		return -1;
	}
	*ret_settings = list;
	return 0;
}

void cgroup_settings_free(struct cgroup_settings *settings)
{
	for (size_t i = 0; i < settings->n; i++) {
		free(settings->items[i].file);
		free(settings->items[i].text);
	}
	free(settings->items);
	*settings = (struct cgroup_settings){0};
}

const struct cgroup_place *cgroup_place(const struct cgroup_setting *s)
{
	return s->v2 ? &s->limit->v2 : &s->limit->v1;
}

bool cgroup_controller(const struct cgroup_setting *s, bool v2, char name[16])
{
	const char *from = v2 ? s->limit->v2.controller : s->limit->v1.controller;
	size_t len;

	if (!from)
		return false;
	/* unified: the key is "memory.high". */
	if (!*from)
		from = s->key;
	len = strcspn(from, ".");
	if (len > 15)
		len = 15;
	memcpy(name, from, len);
	name[len] = '\0';
	return true;
}

/* The first of the alternatives that exists, or the last of them. */
static char *choose_file(int dir, const char *files)
{
	for (;;) {
		size_t len = strcspn(files, "|");
		own_ptr char *file = strndup(files, len);

		if (!file || !files[len] || faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return steal_ptr(&file);
		files += len + 1;
	}
}

int cgroup_format(struct cgroup_setting *s, struct oci_err *err)
{
	const struct cgroup_place *place = cgroup_place(s);

	if (place->file) {
		s->file = choose_file(s->dir, place->file);
		if (!s->file)
			return err_sys(err, ENOMEM, "cannot plan the limits");
	}
	if (place->format(s, err) < 0)
		return cgroup_setting_at(s, err);
	return 0;
}

int cgroup_setting_at(const struct cgroup_setting *s, struct oci_err *err)
{
	const struct cgroup_limit *l = s->limit;
	char name[512], key[256];
	size_t n = 0;

	snprintf(name, sizeof name, "/linux/resources/%s%s%s", l->object, l->property ? "/" : "",
		 l->property ? l->property : "");
	if (s->key) {
		/* RFC 6901 */
		for (const char *c = s->key; *c && n < sizeof key - 2; c++) {
			if (*c == '~' || *c == '/')
				key[n++] = '~';
			key[n++] = *c == '~' ? '0' : *c == '/' ? '1' : *c;
		}
		key[n] = '\0';
		return err_at(err, "%s/%s", name, key);
	}
	if (!(l->flags & LIMIT_EACH))
		return err_at(err, "%s", name);
	return err_at(err, "%s/%zu%s%s", name, s->index, l->member ? "/" : "",
		      l->member ? l->member : "");
}
