#include "kernel/scheduling.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>

#include "base/num.h"
#include "base/own.h"

enum { CPUS_MAX = 8192 };

struct word {
	const char *name;
	uint32_t value;
};

#define END             \
	{               \
		NULL, 0 \
	}

static const struct word policies[] = {
	{"SCHED_OTHER", SCHED_NORMAL},
	{"SCHED_FIFO", SCHED_FIFO},
	{"SCHED_RR", SCHED_RR},
	{"SCHED_BATCH", SCHED_BATCH},
	{"SCHED_ISO", 4 /* reserved by the kernel, never implemented */},
	{"SCHED_IDLE", SCHED_IDLE},
	{"SCHED_DEADLINE", SCHED_DEADLINE},
	END,
};

static const struct word scheduler_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
	{"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
	{"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
	{"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
	{"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
	{"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
	END,
};

static const struct word io_classes[] = {
	{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
	{"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
	{"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
	END,
};

static const struct word memory_modes[] = {
	{"MPOL_DEFAULT", MPOL_DEFAULT},
	{"MPOL_PREFERRED", MPOL_PREFERRED},
	{"MPOL_BIND", MPOL_BIND},
	{"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
	{"MPOL_LOCAL", MPOL_LOCAL},
	{"MPOL_PREFERRED_MANY", 5},	 /* Linux 5.15 */
	{"MPOL_WEIGHTED_INTERLEAVE", 6}, /* Linux 6.9 */
	END,
};

static const struct word memory_flags[] = {
	{"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
	{"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
	{"MPOL_F_NUMA_BALANCING", 1 << 13}, /* Linux 5.12 */
	END,
};

static const struct word domains[] = {
	{"LINUX", PER_LINUX},
	{"LINUX32", PER_LINUX32},
	END,
};

static int find(const struct word *words, const char *name, uint32_t *ret_value)
{
	for (; name && words->name; words++)
		if (strcmp(words->name, name) == 0) {
			*ret_value = words->value;
			return 0;
		}
	return -1;
}

static int word_at(const struct word *words, const struct json_object *object, const char *key,
		   const char *pointer, uint32_t *ret_value, struct oci_err *err)
{
	const char *name = json_string(object, key);

	if (find(words, name, ret_value) == 0)
		return 0;
	err_set(err, FAULT_CONFIG, "unknown %s \"%s\"", key, name ? name : "");
	return err_at(err, "%s/%s", pointer, key);
}

static int flags_at(const struct word *words, const struct json_object *object, const char *pointer,
		    uint32_t *ret_flags, struct oci_err *err)
{
	const struct json_object *list = json_member(object, "flags");
	const size_t n = json_length(list);

	*ret_flags = 0;
	for (size_t i = 0; i < n; i++) {
		const char *name = json_item_string(list, i);
		uint32_t flag;

		if (find(words, name, &flag) < 0) {
			err_set(err, FAULT_CONFIG, "unknown flag \"%s\"", name);
			return err_at(err, "%s/flags/%zu", pointer, i);
		}
		*ret_flags |= flag;
	}
	return 0;
}

static int fill_scheduler(const struct json_object *o, struct plan *plan, struct oci_err *err)
{
	static const char pointer[] = "/process/scheduler";
	struct plan_sched_attr *attr = &plan->scheduler;
	uint32_t flags;

	if (word_at(policies, o, "policy", pointer, &attr->policy, err) < 0 ||
	    flags_at(scheduler_flags, o, pointer, &flags, err) < 0)
		return -1;
	attr->size = sizeof *attr;
	attr->flags = flags;
	attr->nice = (int32_t)json_int(o, "nice", 0);
	attr->priority = (uint32_t)json_int(o, "priority", 0);
	attr->runtime = json_uint(o, "runtime", 0);
	attr->deadline = json_uint(o, "deadline", 0);
	attr->period = json_uint(o, "period", 0);
	plan->flags |= PLAN_SCHEDULER;
	return 0;
}

static int fill_io_priority(const struct json_object *o, struct plan *plan, struct oci_err *err)
{
	uint32_t class;

	if (word_at(io_classes, o, "class", "/process/ioPriority", &class, err) < 0)
		return -1;
	plan->ioprio = (uint32_t)IOPRIO_PRIO_VALUE(class, (uint32_t)json_int(o, "priority", 0));
	plan->flags |= PLAN_IOPRIO;
	return 0;
}

/* The number without the blanks around it, which validation allows: "0, 2". */
static char *trim(char *text)
{
	text += strspn(text, " ");
	text[strcspn(text, " ")] = '\0';
	return text;
}

/* "0-3,7" */
static bool parse_nodes(const char *list, struct memory_nodes *nodes)
{
	own_ptr char *copy = strdup(list);
	char *rest = copy, *part;

	while (copy && (part = strsep(&rest, ","))) {
		uint64_t first, last;
		char *dash;

		part = trim(part);
		dash = strchr(part, '-');
		if (dash)
			*dash++ = '\0';
		if (!num_uint(part, 0, MEMORY_NODES_MAX - 1, &first))
			return false;
		last = first;
		if (dash && !num_uint(dash, first, MEMORY_NODES_MAX - 1, &last))
			return false;
		for (uint64_t i = first; i <= last; i++)
			nodes->bits[i / 64] |= (uint64_t)1 << i % 64;
		if (last / 64 + 1 > nodes->n_words)
			nodes->n_words = last / 64 + 1;
	}
	return copy;
}

static int fill_memory_policy(const struct json_object *o, struct plan *plan,
			      struct memory_nodes *nodes, struct oci_err *err)
{
	static const char pointer[] = "/linux/memoryPolicy";
	const char *list = json_string(o, "nodes");

	if (word_at(memory_modes, o, "mode", pointer, &plan->mempolicy_mode, err) < 0 ||
	    flags_at(memory_flags, o, pointer, &plan->mempolicy_flags, err) < 0)
		return -1;
	if (list && *list && !parse_nodes(list, nodes)) {
		err_set(err, FAULT_CONFIG,
			"\"%s\" is no list of memory nodes from 0 to %d such as \"0-3,7\"", list,
			MEMORY_NODES_MAX - 1);
		return err_at(err, "%s/nodes", pointer);
	}
	plan->flags |= PLAN_MEMPOLICY;
	return 0;
}

int scheduling_cpus(const char *list, cpu_set_t *ret_cpus, bool *ret_given, struct oci_err *err)
{
	/* They are written in the same way. */
	struct memory_nodes cpus = {0};

	*ret_given = list && *list;
	if (!*ret_given)
		return 0;
	if (!parse_nodes(list, &cpus))
		return err_set(err, FAULT_CONFIG,
			       "\"%s\" is no list of CPUs from 0 to %d such as \"0-3,7\"", list,
			       MEMORY_NODES_MAX - 1);
	CPU_ZERO(ret_cpus);
	for (unsigned i = 0; i < MEMORY_NODES_MAX && i < CPU_SETSIZE; i++)
		if (cpus.bits[i / 64] >> i % 64 & 1)
			CPU_SET(i, ret_cpus);
	return 0;
}

void scheduling_all_cpus(pid_t pid)
{
	/* The kernel takes of it what the machine, and then what the cpuset has. */
	unsigned long all[CPUS_MAX / (8 * sizeof(unsigned long))];

	memset(all, 0xff, sizeof all);
	(void)sched_setaffinity(pid, sizeof all, (const cpu_set_t *)all);
}

static int fill_personality(const struct json_object *o, struct plan *plan, struct oci_err *err)
{
	uint32_t domain;

	if (word_at(domains, o, "domain", "/linux/personality", &domain, err) < 0)
		return -1;
	if (json_length(json_member(o, "flags"))) {
		err_set(err, FAULT_CONFIG, "the specification knows no flags of a personality");
		return err_at(err, "/linux/personality/flags");
	}
	plan->personality = domain;
	plan->flags |= PLAN_PERSONALITY;
	return 0;
}

int scheduling_fill(const struct json_object *config, struct plan *plan, struct memory_nodes *nodes,
		    struct oci_err *err)
{
	const struct json_object *process = json_member(config, "process");
	const struct json_object *linux_ = json_member(config, "linux");

	if (json_has(process, "scheduler") &&
	    fill_scheduler(json_member(process, "scheduler"), plan, err) < 0)
		return -1;
	if (json_has(process, "ioPriority") &&
	    fill_io_priority(json_member(process, "ioPriority"), plan, err) < 0)
		return -1;
	if (json_has(linux_, "memoryPolicy") &&
	    fill_memory_policy(json_member(linux_, "memoryPolicy"), plan, nodes, err) < 0)
		return -1;
	if (json_has(linux_, "personality") &&
	    fill_personality(json_member(linux_, "personality"), plan, err) < 0)
		return -1;
	return 0;
}
