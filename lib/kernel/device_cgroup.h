/*
 * Which devices a container may use: linux.resources.devices, as v1 writes it
 * into control files and as v2 runs it, as an eBPF program.
 *
 * Everything is denied, then come the rules of config.json in their order, and
 * last the devices that every container has (config-linux.md, "Default Devices",
 * pseudo terminals, and mknod of anything: making a node is no use of it). Of
 * the rules that match a device the last one decides, for each of read, write
 * and mknod by itself: after "allow rw" a "deny w" leaves "r".
 */
#ifndef KERNEL_DEVICE_CGROUP_H
#define KERNEL_DEVICE_CGROUP_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

/* The bits of the kernel (enum in linux/bpf.h): mknod 1, read 2, write 4. */
enum {
	DEVICE_ACCESS_ALL = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE,
	DEVICE_ANY = -1, /* major or minor */
};

struct device_rule {
	bool allow;
	char type; /* 'a', 'b' or 'c' */
	int64_t major, minor;
	unsigned access;
};

struct device_rules {
	struct device_rule *items;
	size_t n;
};

/*
 * The rules in order: the defaults included, those without effect (because a
 * later one is about all devices) left out, so that the first is about all
 * devices. The caller frees items.
 */
int device_rules_make(const struct json_object *resources, struct device_rules *ret_rules,
		      struct oci_err *err);

/* Whether two lists are the same, rule by rule. */
bool device_rules_same(const struct device_rules *a, const struct device_rules *b);

/* Whether they allow everything. */
bool device_rules_allow_all(const struct device_rules *rules);

/*
 * The form of v1: one rule about all devices, then exceptions from it, each
 * device at most once. FAULT_UNSUPPORTED for what v1 cannot say: an exception
 * from an exception.
 */
int device_rules_for_v1(const struct device_rules *rules, struct device_rules *ret_rules,
			struct oci_err *err);

/* Writes them to devices.allow and devices.deny of a v1 directory. */
int device_cgroup_v1(int dir_fd, const struct device_rules *rules, struct oci_err *err);

/*
 * Makes one list of the other in a directory with processes: first what is allowed in addition,
 * then what is not any more, so that nothing is denied meanwhile that both allow. *ret_all (not
 * NULL): the lists differ in what they say of all devices, and nothing has been done:
 * device_cgroup_v1() while the processes are frozen.
 */
int device_cgroup_v1_update(int dir_fd, const struct device_rules *before,
			    const struct device_rules *rules, bool *ret_all, struct oci_err *err);

/*
 * The program, in memory that the caller frees. NULL with *err if there are too
 * many rules for one.
 */
struct bpf_insn *device_program(const struct device_rules *rules, size_t *ret_n,
				struct oci_err *err);

/*
 * Loads the program and attaches it to the v2 directory; the kernel drops it
 * with the directory. err->errnum is EPERM if the user may not.
 */
int device_cgroup_v2(int dir_fd, const struct device_rules *rules, struct oci_err *err);

/*
 * The same for a directory that has one: the kernel exchanges the two in one step. Rules that allow
 * everything need no program.
 */
int device_cgroup_v2_update(int dir_fd, const struct device_rules *rules, struct oci_err *err);

/* Whether the program of these rules is attached to the directory. */
int device_cgroup_v2_has(int dir_fd, const struct device_rules *rules, bool *ret_has,
			 struct oci_err *err);

/* Detaches the programs that device_cgroup_v2() attached: from a directory that stays. */
int device_cgroup_v2_detach(int dir_fd, struct oci_err *err);

#endif
