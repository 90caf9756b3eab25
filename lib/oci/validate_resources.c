/* linux.resources: what the values demand of each other. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "oci/validate_rules.h"

#define RESOURCES "/linux/resources"

/* Of a cgroup of which nothing is said. */
enum { SHARES_DEFAULT = 1024 };

static void check_cpu(struct rules *r, const struct json_object *cpu)
{
	int64_t quota = json_int(cpu, "quota", -1);
	uint64_t burst = json_uint(cpu, "burst", 0), shares = json_uint(cpu, "shares", 0);

	if (quota > 0 && burst > (uint64_t)quota)
		rules_error(r, AT_VALUE, RESOURCES "/cpu/burst",
			    "%" PRIu64 " is above the quota %" PRId64, burst, quota);
	if (json_int(cpu, "idle", 0) == 1 && shares && shares != SHARES_DEFAULT)
		rules_no_effect(r, AT_KEY, RESOURCES "/cpu/shares",
				"no effect: the share of an idle cgroup (" RESOURCES
				"/cpu/idle) is the least");
}

static void check_memory(struct rules *r, const struct json_object *memory)
{
	int64_t limit = json_int(memory, "limit", 0), swap = json_int(memory, "swap", 0);

	/* swap is memory and swap together, as in cgroup v1. */
	if (limit > 0 && swap > 0 && swap < limit)
		rules_error(r, AT_VALUE, RESOURCES "/memory/swap",
			    "%" PRId64 " is below the memory limit %" PRId64
			    ": it is the limit of both together",
			    swap, limit);
	if (limit < 0 && swap > 0)
		rules_error(r, AT_VALUE, RESOURCES "/memory/swap",
			    "limited, but the memory is not: it is the limit of both together");
}

static void check_weights(struct rules *r, const struct json_object *list)
{
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *device = json_item(list, i);

		if (!json_has(device, "weight") && !json_has(device, "leafWeight"))
			rules_error(r, AT_VALUE,
				    rules_at(r, RESOURCES "/blockIO/weightDevice/%zu", i),
				    "needs weight or leafWeight");
	}
}

static bool same_device(const struct json_object *a, const struct json_object *b)
{
	return json_int(a, "major", -1) == json_int(b, "major", -2) &&
	       json_int(a, "minor", -1) == json_int(b, "minor", -2);
}

/* The kernel would keep only the last limit of a device. */
static void check_devices_once(struct rules *r, const struct json_object *block_io)
{
	static const struct {
		const char *list, *value;
	} lists[] = {
		{"weightDevice", "weight"},	    {"weightDevice", "leafWeight"},
		{"throttleReadBpsDevice", "rate"},  {"throttleWriteBpsDevice", "rate"},
		{"throttleReadIOPSDevice", "rate"}, {"throttleWriteIOPSDevice", "rate"},
	};

	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		const struct json_object *list = json_member(block_io, lists[k].list);

		for (size_t i = 0; i < json_length(list); i++)
			for (size_t j = 0; j < i; j++)
				if (same_device(json_item(list, i), json_item(list, j)) &&
				    json_has(json_item(list, i), lists[k].value) &&
				    json_has(json_item(list, j), lists[k].value))
					rules_error(r, AT_VALUE,
						    rules_at(r, RESOURCES "/blockIO/%s/%zu",
							     lists[k].list, i),
						    "the device is there twice: first in " RESOURCES
						    "/blockIO/%s/%zu",
						    lists[k].list, j);
	}
}

static void check_rdma(struct rules *r, struct json_object *rdma)
{
	if (!rdma || !json_object_is_type(rdma, json_type_object))
		return;
	json_object_object_foreach (rdma, key, device) {
		own_ptr char *pointer = json_pointer_to(RESOURCES "/rdma", key);

		if (pointer && !json_has(device, "hcaHandles") && !json_has(device, "hcaObjects"))
			rules_error(r, AT_VALUE, pointer, "needs hcaHandles or hcaObjects");
	}
}

static void check_huge_pages(struct rules *r, const struct json_object *list)
{
	for (size_t i = 0; i < json_length(list); i++) {
		const char *size = json_string(json_item(list, i), "pageSize");

		for (size_t j = 0; size && j < i; j++) {
			const char *other = json_string(json_item(list, j), "pageSize");

			if (other && strcmp(other, size) == 0)
				rules_error(
					r, AT_VALUE,
					rules_at(r, RESOURCES "/hugepageLimits/%zu/pageSize", i),
					"\"%.40s\" is there twice", size);
		}
	}
}

void rules_resources(struct rules *r)
{
	const struct json_object *resources = json_member(r->platform, "resources");

	if (!resources)
		return;
	check_cpu(r, json_member(resources, "cpu"));
	check_memory(r, json_member(resources, "memory"));
	check_weights(r, json_path(resources, "blockIO", "weightDevice", NULL));
	check_devices_once(r, json_member(resources, "blockIO"));
	check_rdma(r, json_member(resources, "rdma"));
	check_huge_pages(r, json_member(resources, "hugepageLimits"));
}
