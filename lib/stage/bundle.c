#include "stage/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "kernel/ns.h"
#include "oci/container.h"
#include "oci/validate.h"

void bundle_free(struct bundle *b)
{
	json_object_put(b->config);
	free(b->path);
	free(b->config_name);
	free(b->text);
	free(b->rootfs);
}

/* Why a path cannot be used, as text: e is the errno that said so. The caller frees it. */
static char *explain(const char *path, int e)
{
	own_ptr char *reason = path_explain(path);
	char *text = NULL;

	if (reason && *reason)
		return steal_ptr(&reason);
	return asprintf(&text, "\"%s\": %s", path, err_name(e)) < 0 ? NULL : text;
}

static const char *or_memory(const char *text)
{
	return text ? text : "out of memory";
}

static int open_directory(const char *path, struct oci_err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), e = errno;
	own_ptr char *reason = NULL;

	if (fd >= 0)
		return fd;
	if (!*path)
		return err_set(err, FAULT_CONFIG, "the path to the bundle is empty");
	reason = path_explain(path);
	/* All of it is there, but the last is no directory. */
	if (reason && !*reason && e == ENOTDIR)
		return err_set(err, FAULT_CONFIG, "cannot use bundle \"%s\": it is no directory",
			       path);
	if (reason && !*reason)
		return err_set(err, FAULT_CONFIG, "cannot use bundle \"%s\": %s", path,
			       err_name(e));
	return err_set(err, FAULT_CONFIG, "cannot use bundle \"%s\": %s", path, or_memory(reason));
}

/* Never waits: a FIFO is opened without a writer, and then refused. */
static int read_config(struct bundle *b, int bundle_fd, const char *file, struct oci_err *err)
{
	own_fd int fd = openat(bundle_fd, file ? file : "config.json",
			       O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT && !file) {
		err_set(err, FAULT_CONFIG, "the bundle has no config.json: \"%s\" does not exist",
			b->config_name);
		return err_hint(err, "make one: oci-spec --bundle %s", b->path);
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		int e = errno;
		own_ptr char *path = file ? strdup(file) : NULL, *reason = NULL;

		if (!file && asprintf(&path, "%s/config.json", b->path) < 0)
			path = NULL;
		reason = path ? explain(path, e) : NULL;
		return err_set(err, FAULT_CONFIG, "cannot read \"%s\": %s", b->config_name,
			       or_memory(reason));
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, FAULT_CONFIG, "\"%s\" is no regular file", b->config_name);
	if (fd_read_all(fd, CONFIG_SIZE_MAX, &b->text, &b->len) == 0)
		return 0;
	if (errno == EFBIG)
		return err_set(err, FAULT_CONFIG, "\"%s\" is larger than %d MiB", b->config_name,
			       CONFIG_SIZE_MAX >> 20);
	return err_sys(err, errno, "cannot read \"%s\"", b->config_name);
}

int bundle_read(struct bundle *b, const char *path, const char *config_file, struct oci_err *err)
{
	own_fd int fd = open_directory(path, err);
	const char *slash = strrchr(path, '/');

	if (fd < 0)
		return -1;
	b->path = realpath(path, NULL);
	if (!b->path)
		return err_sys(err, errno, "cannot find the absolute path of bundle \"%s\"", path);
	if (config_file || strcmp(path, ".") == 0)
		b->config_name = strdup(config_file ? config_file : "config.json");
	else if (asprintf(&b->config_name, "%s%sconfig.json", path, slash && !slash[1] ? "" : "/") <
		 0)
		b->config_name = NULL;
	if (!b->config_name)
		return err_sys(err, ENOMEM, "cannot keep the path of the bundle");
	if (read_config(b, fd, config_file, err) < 0)
		return -1;
	b->config = json_parse(b->text, b->len, b->config_name, err);
	return b->config ? 0 : -1;
}

/*
 * The canonical form of the root's path, and what is there; NULL with errno. A
 * plain name in the bundle, which is canonical, is looked at once; realpath()
 * would look at every component.
 */
static char *find_root(const struct bundle *b, const char *root, const char *path, struct stat *st)
{
	bool plain = !strchr(root, '/') && root[0] != '.';
	char *canonical;

	if (plain && fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	if (plain && !S_ISLNK(st->st_mode) && strcmp(b->path, "/") != 0)
		return strdup(path);
	canonical = realpath(path, NULL);
	if (canonical && stat(canonical, st) == 0)
		return canonical;
	free(canonical);
	return NULL;
}

static void check_root(struct bundle *b, struct findings *found)
{
	static const char pointer[] = "/root/path";
	const char *root = json_string(json_member(b->config, "root"), "path");
	const char *parent = root && root[0] == '/' ? "" : b->path;
	own_ptr char *path = NULL, *reason = NULL;
	struct stat st;

	if (!root || !*root)
		return;
	if (asprintf(&path, "%s%s%s", parent, *parent ? "/" : "", root) < 0)
		path = NULL;
	b->rootfs = path ? find_root(b, root, path, &st) : NULL;
	if (!b->rootfs) {
		reason = path ? explain(path, errno) : NULL;
		finding_add(found, FINDING_ERROR, AT_VALUE, pointer,
			    "cannot use the root filesystem: %s", or_memory(reason));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		finding_add(found, FINDING_ERROR, AT_VALUE, pointer, "\"%s\" is no directory",
			    b->rootfs);
	b->root_dev = st.st_dev;
	b->root_ino = st.st_ino;
}

/* ---- Namespaces that are joined by path ------------------------------------------------------ */

/* One that is the host's after all is no namespace of the container to be changed. */
static void refuse_ours(struct findings *found, const char *type, const char *pointer)
{
	finding_add(found, FINDING_ERROR, AT_KEY, pointer,
		    "set, but the %s namespace that is joined is the host's", type);
}

static void check_joined_uts(const struct json_object *config, struct findings *found)
{
	static const char *const keys[] = {"hostname", "domainname"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *name = json_string(config, keys[i]);
		char pointer[16];

		snprintf(pointer, sizeof pointer, "/%s", keys[i]);
		if (name && *name)
			refuse_ours(found, "uts", pointer);
	}
}

static void check_joined(const struct json_object *config, const char *type, struct findings *found)
{
	struct json_object *sysctl = json_path(config, "linux", "sysctl", NULL);

	if (strcmp(type, "uts") == 0)
		check_joined_uts(config, found);
	if (!sysctl || !json_object_is_type(sysctl, json_type_object))
		return;
	json_object_object_foreach (sysctl, key, value) {
		const char *of = validate_sysctl_namespace(key);
		own_ptr char *pointer = NULL;

		(void)value;
		if (!of || strcmp(of, type) != 0)
			continue;
		pointer = json_pointer_to("/linux/sysctl", key);
		refuse_ours(found, type, pointer ? pointer : "/linux/sysctl");
	}
}

static void check_namespaces(const struct json_object *config, struct findings *found)
{
	static const char *const types[] = {"network", "ipc", "uts"};
	const struct json_object *list = json_path(config, "linux", "namespaces", NULL);

	for (size_t i = 0; i < json_length(list); i++) {
		const char *type = json_string(json_item(list, i), "type");
		const char *path = json_string(json_item(list, i), "path");

		for (size_t j = 0; type && path && *path && j < ARRAY_SIZE(types); j++)
			if (strcmp(type, types[j]) == 0 && ns_is_ours(ns_find(type), path))
				check_joined(config, type, found);
	}
}

void bundle_check(struct bundle *b, struct findings *found)
{
	validate_config(b->config, found);
	check_root(b, found);
	check_namespaces(b->config, found);
}

char *bundle_warnings(const struct bundle *b, struct findings *found)
{
	if (!found->n_warnings)
		return NULL;
	finding_locate(found, b->text, b->len);
	return finding_report(found, b->text, b->len, b->config_name, false);
}
