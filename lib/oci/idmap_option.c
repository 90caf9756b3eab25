#include "oci/idmap_option.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/own.h"

static int malformed(const char *option, struct oci_err *err)
{
	err_set(err, FAULT_CONFIG, "mount option \"%s\" has no mapping that can be understood",
		option);
	return err_hint(err, "it looks like idmap=uids=0-1000-10;gids=0-1000-10");
}

/* The host's id of a range of ids of the container, if one mapping has all of it. */
static bool to_host(const struct json_object *mappings, uint64_t size, uint64_t *id)
{
	for (size_t i = 0; i < json_length(mappings); i++) {
		const struct json_object *m = json_item(mappings, i);
		const uint64_t first = json_uint(m, "containerID", 0);

		if (*id < first || *id - first + size > json_uint(m, "size", 0))
			continue;
		*id = json_uint(m, "hostID", 0) + *id - first;
		return true;
	}
	return false;
}

static bool next_number(char **text, uint64_t *ret)
{
	char *part = strsep(text, "-");

	return part && num_uint(part, 0, UINT32_MAX - 1, ret);
}

/* "0-1000-10" or "@0-1-10" */
static int add_range(const char *option, char *text, const struct json_object *mappings,
		     struct json_object *list, struct oci_err *err)
{
	const bool relative = *text == '@';
	uint64_t first, host, size;
	struct json_object *range;

	text += relative;
	if (!next_number(&text, &first) || !next_number(&text, &host) ||
	    !next_number(&text, &size) || text || !size)
		return malformed(option, err);
	if (relative && !to_host(mappings, size, &host))
		return err_set(err, FAULT_CONFIG,
			       "mount option \"%s\": the ids from %llu on are not mapped in the "
			       "container",
			       option, (unsigned long long)host);
	range = json_object_new_object();
	json_object_object_add(range, "containerID", json_object_new_uint64(first));
	json_object_object_add(range, "hostID", json_object_new_uint64(host));
	json_object_object_add(range, "size", json_object_new_uint64(size));
	json_object_array_add(list, range);
	return 0;
}

/* "uids=0-1000-10#10-2000-5" */
static int add_ids(const char *option, char *text, const struct json_object *linux_config,
		   struct json_object *maps, struct oci_err *err)
{
	const bool uids = strncmp(text, "uids=", 5) == 0;
	const char *key = uids ? "uidMappings" : "gidMappings";
	struct json_object *list;
	char *range;

	if ((!uids && strncmp(text, "gids=", 5) != 0) || json_has(maps, key))
		return malformed(option, err);
	list = json_object_new_array();
	json_object_object_add(maps, key, list);
	text += 5;
	while ((range = strsep(&text, "#")))
		if (add_range(option, range, json_member(linux_config, key), list, err) < 0)
			return -1;
	return 0;
}

int idmap_option_parse(const char *option, const struct json_object *linux_config,
		       struct json_object **ret_maps, struct oci_err *err)
{
	own_json struct json_object *maps = json_object_new_object();
	const char *value = strchr(option, '=');
	own_ptr char *copy = strdup(value ? value + 1 : "");
	char *rest = copy, *part;

	if (!copy)
		return err_sys(err, ENOMEM, "cannot copy a mount option");
	while ((part = strsep(&rest, ";")))
		if (add_ids(option, part, linux_config, maps, err) < 0)
			return -1;
	if (!json_has(maps, "uidMappings") || !json_has(maps, "gidMappings"))
		return malformed(option, err);
	*ret_maps = steal_ptr(&maps);
	return 0;
}
