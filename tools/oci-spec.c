/* oci-spec: write a config.json to start from. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "tool.h"

/* tools/default-config.json; the Makefile knows that this file depends on it. */
__asm__(".pushsection .rodata\n"
	"default_config:\n"
	".incbin \"tools/default-config.json\"\n"
	".byte 0\n"
	".popsection\n");
extern const char default_config[];

static const char *bundle;
static bool rootless;

static const struct opt options[] = {
	{'b', "bundle", "DIR", OPT_PATH, &bundle, "where to write it, default: where you are"},
	{0, "rootless", NULL, OPT_FLAG, &rootless, "for a container of an unprivileged user: you"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-spec",
	.purpose = "write a config.json to start from",
	.details = "It runs sh in the root file system \"rootfs\" beside it. An existing\n"
		   "config.json is left alone.",
	.example = "oci-spec --bundle web && oci-create web ./web",
	.options = options,
};

static struct json_object *mapping(unsigned host_id)
{
	struct json_object *map = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(map, "containerID", json_object_new_int(0));
	json_object_object_add(map, "hostID", json_object_new_uint64(host_id));
	json_object_object_add(map, "size", json_object_new_int(1));
	json_object_array_add(list, map);
	return list;
}

/* A user namespace, and the host's network: a user could make another, but it would lead nowhere.
 */
static struct json_object *rootless_namespaces(const struct json_object *from)
{
	struct json_object *list = json_object_new_array(), *user = json_object_new_object();

	for (size_t i = 0; i < json_length(from); i++)
		if (strcmp(json_string(json_item(from, i), "type"), "network") != 0)
			json_object_array_add(list, json_object_get(json_item(from, i)));
	json_object_object_add(user, "type", json_object_new_string("user"));
	json_object_array_add(list, user);
	return list;
}

/* Group 5 is not mapped; and a sysfs can be made only by who owns the network namespace. */
static void change_mount(struct json_object *mount)
{
	const struct json_object *from = json_member(mount, "options");
	bool sys = strcmp(json_string(mount, "destination"), "/sys") == 0;
	struct json_object *to;

	if (!from)
		return;
	to = json_object_new_array();
	if (sys) {
		json_object_object_add(mount, "type", json_object_new_string("none"));
		json_object_object_add(mount, "source", json_object_new_string("/sys"));
		json_object_array_add(to, json_object_new_string("rbind"));
	}
	for (size_t i = 0; i < json_length(from); i++)
		if (strncmp(json_item_string(from, i), "gid=", 4) != 0)
			json_object_array_add(to, json_object_get(json_item(from, i)));
	json_object_object_add(mount, "options", to);
}

static void make_rootless(struct json_object *config)
{
	struct json_object *from = json_member(config, "linux");
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "uidMappings", mapping(geteuid()));
	json_object_object_add(to, "gidMappings", mapping(getegid()));
	json_object_object_add(to, "namespaces",
			       rootless_namespaces(json_member(from, "namespaces")));
	json_object_object_add(to, "maskedPaths",
			       json_object_get(json_member(from, "maskedPaths")));
	json_object_object_add(to, "readonlyPaths",
			       json_object_get(json_member(from, "readonlyPaths")));
	json_object_object_add(config, "linux", to);
	for (size_t i = 0; i < json_length(json_member(config, "mounts")); i++)
		change_mount(json_item(json_member(config, "mounts"), i));
}

static int write_config(struct json_object *config, struct oci_err *err)
{
	own_ptr char *path = NULL;
	own_fd int fd = -1;
	const char *text;

	if (asprintf(&path, "%s%sconfig.json", bundle ? bundle : "", bundle ? "/" : "") < 0)
		return err_sys(err, ENOMEM, "cannot write config.json");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0 && errno == EEXIST) {
		err_set(err, FAULT_STATE, "\"%s\" exists already", path);
		return err_hint(err, "it was left alone; remove it, or give another --bundle");
	}
	if (fd < 0 && errno == ENOENT) {
		own_ptr char *why = path_explain(bundle ? bundle : ".");

		return err_set(err, FAULT_CONFIG, "cannot write \"%s\": %s", path,
			       why ? why : "ENOENT");
	}
	text = json_object_to_json_string_ext(
		config, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB |
				JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fd_write_all(fd, "\n", 1) < 0)
		return err_sys(err, errno, "cannot write \"%s\"", path);
	return 0;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *config = NULL;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	config = json_parse(default_config, strlen(default_config), "default-config.json", &err);
	if (!config)
		return tool_fail(&err);
	if (rootless)
		make_rootless(config);
	return write_config(config, &err) < 0 ? tool_fail(&err) : 0;
}
