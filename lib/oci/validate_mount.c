/* Mounts, and everything else that needs a mount namespace of the container's own. */
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "oci/idmap_option.h"
#include "oci/mountopt.h"
#include "oci/validate_rules.h"

/* ---- The mount namespace --------------------------------------------------------------------- */

static const struct {
	const char *pointer;
	const char *keys[2];
} need_mount_namespace[] = {
	{"/mounts", {"mounts"}},
	{"/root/readonly", {"root", "readonly"}},
	{"/linux/devices", {"linux", "devices"}},
	{"/linux/maskedPaths", {"linux", "maskedPaths"}},
	{"/linux/readonlyPaths", {"linux", "readonlyPaths"}},
	{"/linux/rootfsPropagation", {"linux", "rootfsPropagation"}},
};

/* Whether the property asks for something to be done. */
static bool asks(const struct json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		return json_length(value) > 0;
	if (json_object_is_type(value, json_type_boolean))
		return json_object_get_boolean(value);
	return json_object_is_type(value, json_type_string);
}

/* A namespace that is joined is somebody's: what we mounted there would be theirs. */
static void check_namespace(struct rules *r)
{
	const char *problem = r->joined[NS_MOUNT]
				      ? "set, but the mount namespace is another's: it "
					"is joined by path"
				      : "set, but the container has no mount namespace: "
					"it would change the host's mounts";

	if (rules_new(r, NS_MOUNT))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(need_mount_namespace); i++) {
		const char *const *keys = need_mount_namespace[i].keys;
		struct finding *f;

		if (!asks(json_path(r->config, keys[0], keys[1], NULL)))
			continue;
		f = rules_error(r, AT_KEY, need_mount_namespace[i].pointer, "%s", problem);
		if (!r->joined[NS_MOUNT])
			finding_hint(f, "add {\"type\": \"mount\"} to /linux/namespaces");
	}
}

/* ---- Mounts ---------------------------------------------------------------------------------- */

static void check_options(struct rules *r, const struct json_object *mount, size_t i,
			  struct mountopt *opt)
{
	const struct json_object *options = json_member(mount, "options");
	const char *type = mountopt_type(mount);

	for (size_t j = 0; j < json_length(options); j++) {
		own_err struct oci_err err = ERR_INIT;
		struct finding *f;

		if (!json_object_is_type(json_item(options, j), json_type_string) ||
		    mountopt_add(opt, json_item_string(options, j), j, type, &err) == 0)
			continue;
		f = rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/options/%zu", i, j), "%s",
				err.message);
		if (err.hint)
			finding_hint(f, "%s", err.hint);
	}
}

static void check_idmap_option(struct rules *r, size_t i, const char *option)
{
	own_json struct json_object *maps = NULL;
	own_err struct oci_err err = ERR_INIT;
	struct finding *f;

	if (idmap_option_parse(option, r->platform, &maps, &err) == 0)
		return;
	f = rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/options", i), "%s", err.message);
	if (err.hint)
		finding_hint(f, "%s", err.hint);
}

/* Of a file system, which is mounted already when a directory of it is bound. */
static void check_superblock(struct rules *r, size_t i, const struct mountopt *opt)
{
	for (size_t j = 0; j < opt->n_superblock; j++) {
		const char *name = opt->superblock[j];

		/* What is so anyway. */
		if (strncmp(name, "no", 2) == 0 || strcmp(name, "async") == 0)
			continue;
		rules_no_effect(r, AT_VALUE, rules_at(r, "/mounts/%zu/options", i),
				"\"%s\" has no effect: it is an option of the whole filesystem, "
				"not of a bind mount",
				name);
	}
}

/* Options that say nothing about a mount of this kind would be skipped silently. */
static void check_kind(struct rules *r, const struct json_object *mount, size_t i,
		       const struct mountopt *opt)
{
	const char *type = mountopt_type(mount);

	if (!type)
		check_superblock(r, i, opt);
	if (type && (opt->actions & (MOUNTOPT_COPY_SYMLINK | MOUNTOPT_SRC_NOFOLLOW)))
		rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/options", i),
			    "copy-symlink and src-nofollow are for bind mounts");
	if ((opt->actions & MOUNTOPT_COPY_UP) && (!type || strcmp(type, "tmpfs") != 0))
		rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/options", i),
			    "tmpcopyup is for a tmpfs");
}

static void check_idmap(struct rules *r, const struct json_object *mount, size_t i,
			const struct mountopt *opt)
{
	bool uids = json_length(json_member(mount, "uidMappings"));
	bool gids = json_length(json_member(mount, "gidMappings"));
	bool asked = opt->actions & (MOUNTOPT_IDMAP | MOUNTOPT_RIDMAP);

	if (opt->idmap && (uids || gids))
		rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/options", i),
			    "\"%.200s\" contradicts uidMappings and gidMappings", opt->idmap);
	if (opt->idmap)
		return check_idmap_option(r, i, opt->idmap);
	if (uids != gids && !json_has(mount, uids ? "gidMappings" : "uidMappings"))
		rules_error(r, AT_VALUE,
			    rules_at(r, "/mounts/%zu/%cidMappings", i, uids ? 'g' : 'u'),
			    "is required along with %cidMappings", uids ? 'u' : 'g');
	if (asked && !uids && !gids && !r->listed[NS_USER])
		rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/options", i),
			    "an id-mapped mount needs uidMappings and gidMappings, or a container "
			    "with a user namespace");
}

static void check_mount(struct rules *r, const struct json_object *mount, size_t i)
{
	own_mountopt struct mountopt opt;
	const char *type = json_string(mount, "type"), *source = json_string(mount, "source");
	bool bind = !mountopt_type(mount);
	char pointer[64];

	mountopt_begin(&opt);
	check_options(r, mount, i, &opt);
	if (bind && !(opt.actions & MOUNTOPT_REMOUNT) && (!source || !*source))
		rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/source", i),
			    "is required for a bind mount, but it is not there");
	if (!bind && !(opt.actions & MOUNTOPT_REMOUNT) && !opt.n_propagation &&
	    (!type || !*type || strcmp(type, "none") == 0))
		rules_error(r, AT_VALUE, rules_at(r, "/mounts/%zu/type", i),
			    "is required for what is no bind mount");
	check_idmap(r, mount, i, &opt);
	check_kind(r, mount, i, &opt);
	snprintf(pointer, sizeof pointer, "/mounts/%zu", i);
	rules_id_mappings(r, mount, "uidMappings", pointer);
	rules_id_mappings(r, mount, "gidMappings", pointer);
}

/* Of what has a wrong type nothing can be said that would not confuse. */
static bool is_plausible(const struct json_object *mount)
{
	const struct json_object *options = json_member(mount, "options");

	return json_object_is_type(mount, json_type_object) &&
	       (!options || json_object_is_type(options, json_type_array));
}

/* Then no program would be found any more. */
static void check_masked(struct rules *r)
{
	const struct json_object *paths = json_member(r->platform, "maskedPaths");

	for (size_t i = 0; i < json_length(paths); i++) {
		const char *path = json_item_string(paths, i);

		if (path && *path == '/' && !path[strspn(path, "/")])
			rules_error(r, AT_VALUE, rules_at(r, "/linux/maskedPaths/%zu", i),
				    "the root itself cannot be masked");
	}
}

void rules_mounts(struct rules *r)
{
	const struct json_object *mounts = json_member(r->config, "mounts");

	check_namespace(r);
	check_masked(r);
	for (size_t i = 0; i < json_length(mounts); i++)
		if (is_plausible(json_item(mounts, i)))
			check_mount(r, json_item(mounts, i), i);
}
