/* Mounts, devices, masked and read-only paths as shell commands. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "dry_run.h"
#include "kernel/ns.h"
#include "oci/mountopt.h"

/* The options of one mount, sorted by who can say them in mount(8). */
struct sorted {
	FILE *flags; /* "nosuid,mode=755" */
	char *flags_text;
	size_t flags_size;
	bool recursive_bind;
};

static void sort_option(const struct shell *sh, struct sorted *s, const char *option, bool bind)
{
	const struct mountopt_row *row = mountopt_find(option);

	if (row && row->kind == MOUNTOPT_ACTION) {
		s->recursive_bind |= row->set & MOUNTOPT_RBIND;
		if (row->set & (MOUNTOPT_IDMAP | MOUNTOPT_RIDMAP))
			shell_comment(sh, NULL, "%s: with the ids mapped, by mount_setattr(2)",
				      option);
		if (row->set & MOUNTOPT_COPY_UP)
			shell_comment(sh, NULL, "%s: with a copy of what the image has there",
				      option);
		return;
	}
	if (row && row->kind == MOUNTOPT_RECURSIVE)
		shell_comment(sh, NULL, "%s: for every mount of the tree, by mount_setattr(2)",
			      option);
	if (row && row->kind != MOUNTOPT_ATTRIBUTE && row->kind != MOUNTOPT_SUPERBLOCK)
		return;
	if (bind && !row)
		return;
	fprintf(s->flags, "%s%s", ftell(s->flags) > 0 ? "," : "", option);
}

static bool is_file(const char *path)
{
	own_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* A relative source is relative to the bundle. The caller frees it. */
static char *source_of(const struct shell *sh, const struct json_object *mount)
{
	const char *source = json_string(mount, "source");
	char *path = NULL;

	if (!source || source[0] == '/')
		return strdup(source ? source : "none");
	return asprintf(&path, "%s/%s", sh->bundle->path, source) < 0 ? NULL : path;
}

static void bind(const struct shell *sh, const struct json_object *mount, const struct sorted *s,
		 const char *target)
{
	own_ptr char *source = source_of(sh, mount), *from = source ? shell_quote(source) : NULL;
	own_ptr char *flags = shell_quote(s->flags_text);

	if (source && is_file(source))
		shell_run(sh, "mkdir -p \"$(dirname %s)\" && touch %s", target, target);
	else
		shell_run(sh, "mkdir -p %s", target);
	shell_run(sh, "mount --%s %s %s", s->recursive_bind ? "rbind" : "bind", from, target);
	if (*s->flags_text)
		shell_run(sh, "mount -o remount,bind,%s %s", flags, target);
}

/* A superblock of cgroup shows what the machine has; the bind of a hybrid machine's tree is close.
 */
static void mount_cgroup(const struct shell *sh, const struct sorted *s, const char *target)
{
	shell_comment(sh, NULL, "oci-mount shows the container's own part of each hierarchy");
	shell_run(sh, "mount --rbind /sys/fs/cgroup %s", target);
	if (strstr(s->flags_text, "ro"))
		shell_run(sh, "mount -o remount,bind,ro %s", target);
}

static void mount_new(const struct shell *sh, const struct json_object *mount,
		      const struct sorted *s, const char *target)
{
	const char *type = json_string(mount, "type"), *source = json_string(mount, "source");
	own_ptr char *quoted_type = shell_quote(type ? type : "none");
	own_ptr char *from = shell_quote(source ? source : "none");
	own_ptr char *flags = shell_quote(s->flags_text);

	shell_run(sh, "mkdir -p %s", target);
	if (type && strcmp(type, "cgroup") == 0)
		mount_cgroup(sh, s, target);
	else
		shell_run(sh, "mount -t %s%s%s %s %s", quoted_type, *s->flags_text ? " -o " : "",
			  *s->flags_text ? flags : "", from, target);
}

static void one_mount(const struct shell *sh, const struct json_object *mount, size_t i)
{
	const struct json_object *options = json_member(mount, "options");
	bool is_bind = mountopt_is_bind(mount);
	own_ptr char *target = shell_path(json_string(mount, "destination"));
	struct sorted s = {0};
	char pointer[40];

	snprintf(pointer, sizeof pointer, "/mounts/%zu", i);
	shell_comment(sh, pointer, "%s", "");
	s.flags = open_memstream(&s.flags_text, &s.flags_size);
	if (!s.flags)
		return;
	for (size_t k = 0; k < json_length(options); k++)
		sort_option(sh, &s, json_item_string(options, k), is_bind);
	fclose(s.flags);
	if (is_bind)
		bind(sh, mount, &s, target);
	else
		mount_new(sh, mount, &s, target);
	for (size_t k = 0; k < json_length(options); k++) {
		const struct mountopt_row *row = mountopt_find(json_item_string(options, k));

		if (row && row->kind == MOUNTOPT_PROPAGATION)
			shell_run(sh, "mount --make-%s %s", row->name, target);
	}
	free(s.flags_text);
}

void dry_run_mounts(const struct shell *sh)
{
	const struct json_object *mounts = json_member(sh->bundle->config, "mounts");

	shell_stage(sh, "mount", "%s", "");
	for (size_t i = 0; i < json_length(mounts); i++)
		one_mount(sh, json_item(mounts, i), i);
}

static void default_devices(const struct shell *sh)
{
	shell_comment(sh, NULL, "default devices and links (config-linux.md, \"Default Devices\")");
	shell_run(sh, "mkdir -p \"$ROOTFS/dev\"");
	if (ns_new(sh->bundle->config) & CLONE_NEWUSER) {
		shell_run(sh, "for name in null zero full random urandom tty");
		shell_run(sh, "do touch \"$ROOTFS/dev/$name\" && mount --bind \"/dev/$name\" "
			      "\"$ROOTFS/dev/$name\"");
	} else {
		shell_run(sh, "for node in 'null c 1 3' 'zero c 1 5' 'full c 1 7' 'random c 1 8' "
			      "'urandom c 1 9' 'tty c 5 0'");
		shell_run(sh, "do [ -e \"$ROOTFS/dev/${node%%%% *}\" ] || mknod -m 666 "
			      "\"$ROOTFS/dev/${node%%%% *}\" ${node#* }");
	}
	shell_run(sh, "done");
	shell_run(sh, "ln -sf pts/ptmx \"$ROOTFS/dev/ptmx\"");
	shell_run(sh, "for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2");
	shell_run(sh, "do ln -snf /proc/self/${link#*:} \"$ROOTFS/dev/${link%%%%:*}\"");
	shell_run(sh, "done");
}

void dry_run_devices(const struct shell *sh)
{
	const struct json_object *devices = json_path(sh->bundle->config, "linux", "devices", NULL);
	const bool userns = ns_new(sh->bundle->config) & CLONE_NEWUSER;

	default_devices(sh);
	for (size_t i = 0; i < json_length(devices); i++) {
		const struct json_object *d = json_item(devices, i);
		const char *type = json_string(d, "type");
		own_ptr char *path = shell_path(json_string(d, "path")), *host = NULL;
		char pointer[40], numbers[48] = "";

		snprintf(pointer, sizeof pointer, "/linux/devices/%zu", i);
		if (strcmp(type, "p") != 0)
			snprintf(numbers, sizeof numbers, " %lld %lld",
				 (long long)json_int(d, "major", 0),
				 (long long)json_int(d, "minor", 0));
		shell_comment(sh, pointer, "%s", "");
		shell_run(sh, "mkdir -p \"$(dirname %s)\"", path);
		if (userns && strcmp(type, "p") != 0) {
			host = shell_quote(json_string(d, "path"));
			shell_comment(sh, NULL,
				      "oci-mount binds a node made for it; a shell has only the "
				      "host's");
			shell_run(sh, "touch %s && mount --bind %s %s", path, host, path);
			continue;
		}
		shell_run(sh, "mknod -m %llo %s %s%s",
			  (unsigned long long)json_uint(d, "fileMode", 0666), path, type, numbers);
		if (json_has(d, "uid") || json_has(d, "gid"))
			shell_run(sh, "chown %llu:%llu %s",
				  (unsigned long long)json_uint(d, "uid", 0),
				  (unsigned long long)json_uint(d, "gid", 0), path);
	}
}

/* A function of the shell, called for each path of a list. */
static void each_path(const struct shell *sh, const char *name, const char *function)
{
	const struct json_object *paths = json_path(sh->bundle->config, "linux", name, NULL);
	own_ptr char *words = shell_words(paths);
	char pointer[64];

	if (json_length(paths) == 0)
		return;
	snprintf(pointer, sizeof pointer, "/linux/%s", name);
	shell_comment(sh, pointer, "%s", "");
	shell_run(sh, "hide() {\n%s\n}", function);
	shell_run(sh, "for path in %s\ndo hide \"$ROOTFS$path\"\ndone", words);
}

void dry_run_masks(const struct shell *sh)
{
	each_path(sh, "maskedPaths",
		  "\tif [ -d \"$1\" ]; then mount -t tmpfs -o ro,nr_inodes=2 masked \"$1\"\n"
		  "\telif [ -e \"$1\" ]; then mount --bind /dev/null \"$1\"\n"
		  "\tfi");
	each_path(sh, "readonlyPaths",
		  "\t[ -e \"$1\" ] || return 0\n"
		  "\tmount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"");
}
