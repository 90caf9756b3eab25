/*
 * Values of cgroup v1, in which config.json is written, as values of v2.
 * Pure arithmetic.
 */
#ifndef KERNEL_CGROUP_CONVERT_H
#define KERNEL_CGROUP_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * cpu.shares (2 to 262144, default 1024) as cpu.weight (1 to 10000, default
 * 100). The curve that goes through all three points, 10^((l^2 + 125 l)/612 - 7/34)
 * with l = log2(shares), which Kubernetes, runc and crun agree on since 2025;
 * the straight line from before gave the default of v1 a weight of 39.
 */
uint64_t cgroup_weight_of_shares(uint64_t shares);

/* blkio.weight (10 to 1000) as io.weight (1 to 10000), a straight line. io.bfq.weight needs none.
 */
uint64_t cgroup_io_weight(uint64_t weight);

/*
 * A list of CPUs or memory nodes, "0-3,7", as bits of a set of CGROUP_LIST_MAX;
 * false if it is no such list.
 */
enum { CGROUP_LIST_MAX = 8192 };

struct cgroup_set {
	uint64_t bits[CGROUP_LIST_MAX / 64];
};

bool cgroup_parse_list(const char *text, struct cgroup_set *ret_set);

/* Whether all of a is in b. */
bool cgroup_set_within(const struct cgroup_set *a, const struct cgroup_set *b);

#endif
