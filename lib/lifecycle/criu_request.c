/* A request to criu, piece by piece. */
#include "lifecycle/criu_request.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"

enum { LOG_LEVEL = 4, PARENTS_MAX = 1000 };

/* Where those who configure criu for containers have it, by the name of the runtime that was first.
 */
static const char config_file[] = "/etc/criu/runc.conf";

static const struct {
	const char *name;
	CriuCgroupMode mode;
} cgroup_modes[] = {
	{"soft", CRIU_CGROUP_MODE__CG_SOFT},
	{"full", CRIU_CGROUP_MODE__CG_FULL},
	{"strict", CRIU_CGROUP_MODE__CG_STRICT},
	{"ignore", CRIU_CGROUP_MODE__CG_IGNORE},
};

static int no_memory(struct oci_err *err)
{
	return err_sys(err, ENOMEM, "cannot prepare the request to criu");
}

static int open_directory(const char *path, struct oci_err *err)
{
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make the directory \"%s\"", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "cannot open the directory \"%s\"", path) : fd;
}

static int set_cgroup_mode(CriuOpts *opts, const char *name, struct oci_err *err)
{
	opts->has_manage_cgroups = opts->manage_cgroups = true;
	opts->has_manage_cgroups_mode = true;
	for (unsigned i = 0; i < ARRAY_SIZE(cgroup_modes); i++)
		if (strcmp(name ? name : "soft", cgroup_modes[i].name) == 0) {
			opts->manage_cgroups_mode = cgroup_modes[i].mode;
			return 0;
		}
	return err_set(err, FAULT_USAGE,
		       "--manage-cgroups-mode \"%s\": it is soft, full, strict or ignore", name);
}

static int set_empty_ns(CriuOpts *opts, const char *name, struct oci_err *err)
{
	if (!name)
		return 0;
	if (strcmp(name, "network") != 0)
		return err_set(err, FAULT_USAGE, "--empty-ns \"%s\": it can be network only", name);
	opts->has_empty_ns = true;
	opts->empty_ns = CLONE_NEWNET;
	return 0;
}

/* ---- What is in the images ------------------------------------------------------------------- */

/* In a directory of images criu opens files by fixed names, follows links, and writes some of them.
 */
static int check_file(int dir, const char *name, const char *path, struct oci_err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot look at \"%s\"", name);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode) ||
	    (S_ISLNK(st.st_mode) && strcmp(name, "parent") == 0))
		return 0;
	return err_set(
		err, FAULT_STATE,
		"\"%s\" of the images \"%s\" is %s: images are files, and what criu reads or "
		"writes there must not be something else",
		name, path, S_ISLNK(st.st_mode) ? "a symbolic link" : "no regular file");
}

static int check_directory(int dir, const char *path, struct oci_err *err)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!stream) {
		own_close_fd(&copy);
		return err_sys(err, errno, "cannot read the directory \"%s\"", path);
	}
	while (result == 0 && (entry = readdir(stream)))
		result = check_file(dir, entry->d_name, path, err);
	closedir(stream);
	return result;
}

/* "parent" leads to the images of the pre-dump before, and from there to those of the one before.
 */
static int check_images(int images, const char *path, struct oci_err *err)
{
	own_fd int dir = fcntl(images, F_DUPFD_CLOEXEC, 3);

	for (int i = 0; dir >= 0 && i < PARENTS_MAX; i++) {
		int parent;

		if (check_directory(dir, path, err) < 0)
			return -1;
		parent = openat(dir, "parent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (parent < 0)
			return 0;
		close(dir);
		dir = parent;
	}
	return err_set(err, FAULT_STATE, "the images \"%s\" have more than %d parents", path,
		       PARENTS_MAX);
}

int criu_request_reopen(struct criu_request *r, struct oci_err *err)
{
	own_close_fd(&r->images);
	own_close_fd(&r->work);
	r->work = -1;
	r->images = open_directory(r->image_path, err);
	if (r->images < 0)
		return -1;
	r->work = open_directory(r->work_path, err);
	if (r->work < 0)
		return -1;
	r->opts.images_dir_fd = r->images;
	r->opts.has_work_dir_fd = true;
	r->opts.work_dir_fd = r->work;
	return 0;
}

int criu_request_begin(struct criu_request *r, CriuType type, const struct criu_options *options,
		       char *log, struct oci_err *err)
{
	CriuOpts *o = &r->opts;

	*r = (struct criu_request){.images = -1, .work = -1};
	criu_request__init(&r->message);
	criu_opts__init(o);
	criu_page_server__init(&r->page_server);
	r->message.type = type;
	r->message.opts = o;
	r->image_path = options->image_path;
	r->work_path = options->work_path ? options->work_path : options->image_path;
	if (criu_request_reopen(r, err) < 0 || check_images(r->images, r->image_path, err) < 0)
		return -1;
	o->has_log_level = true;
	o->log_level = LOG_LEVEL;
	o->log_file = log;
	o->has_notify_scripts = o->notify_scripts = true;
	o->has_orphan_pts_master = o->orphan_pts_master = true;
	o->has_tcp_established = o->tcp_established = options->tcp_established;
	o->has_ext_unix_sk = o->ext_unix_sk = options->ext_unix_sk;
	o->has_shell_job = o->shell_job = options->shell_job;
	o->has_file_locks = o->file_locks = options->file_locks;
	o->has_link_remap = o->link_remap = options->link_remap;
	o->has_lazy_pages = o->lazy_pages = options->lazy_pages;
	o->has_auto_dedup = o->auto_dedup = options->auto_dedup;
	return set_cgroup_mode(o, options->cgroup_mode, err) < 0
		       ? -1
		       : set_empty_ns(o, options->empty_ns, err);
}

char *criu_request_string(struct criu_request *r, const char *text, struct oci_err *err)
{
	char **strings = reallocarray(r->strings, r->n_strings + 1, sizeof *strings);
	char *copy = strings ? strdup(text) : NULL;

	if (strings)
		r->strings = strings;
	if (copy)
		r->strings[r->n_strings++] = copy;
	else
		no_memory(err);
	return copy;
}

/* Room for one more in a list of pointers; the new item. */
static void *add(void ***list, size_t *n, size_t size)
{
	void **items = reallocarray(*list, *n + 1, sizeof *items);

	if (!items)
		return NULL;
	*list = items;
	items[*n] = calloc(1, size);
	return items[*n] ? items[(*n)++] : NULL;
}

int criu_request_config(struct criu_request *r, const struct container *c, struct oci_err *err)
{
	const struct json_object *annotations = json_member(c->config, "annotations");
	const char *file = json_string(annotations, "org.criu.config");

	if (file && !*file)
		return 0;
	r->opts.config_file = criu_request_string(r, file ? file : config_file, err);
	return r->opts.config_file ? 0 : -1;
}

int criu_request_mount(struct criu_request *r, const char *key, const char *value,
		       struct oci_err *err)
{
	CriuMount *mount;

	if (strstr(key, "]:") || strstr(value, "]:"))
		return err_set(err, FAULT_UNSUPPORTED,
			       "criu cannot be told of the mount \"%s\": its name has \"]:\"",
			       strstr(key, "]:") ? key : value);
	mount = add((void ***)&r->opts.ext_mnt, &r->opts.n_ext_mnt, sizeof *mount);
	if (!mount)
		return no_memory(err);
	criu_mount__init(mount);
	mount->key = criu_request_string(r, key, err);
	mount->val = mount->key ? criu_request_string(r, value, err) : NULL;
	return mount->val ? 0 : -1;
}

int criu_request_external(struct criu_request *r, const char *text, struct oci_err *err)
{
	char *copy = criu_request_string(r, text, err);
	char **list = reallocarray(r->opts.external, r->opts.n_external + 1, sizeof *list);

	if (list)
		r->opts.external = list;
	if (!copy || !list)
		return no_memory(err);
	list[r->opts.n_external++] = copy;
	return 0;
}

int criu_request_inherit(struct criu_request *r, const char *key, int fd, struct oci_err *err)
{
	CriuInheritFd *inherit =
		add((void ***)&r->opts.inherit_fd, &r->opts.n_inherit_fd, sizeof *inherit);

	if (!inherit)
		return no_memory(err);
	criu_inherit_fd__init(inherit);
	inherit->fd = fd;
	inherit->key = criu_request_string(r, key, err);
	return inherit->key ? 0 : -1;
}

int criu_request_join(struct criu_request *r, const char *type, const char *path,
		      struct oci_err *err)
{
	CriuJoin *join = add((void ***)&r->opts.join_ns, &r->opts.n_join_ns, sizeof *join);

	if (!join)
		return no_memory(err);
	criu_join__init(join);
	join->ns = criu_request_string(r, type, err);
	join->ns_file = join->ns ? criu_request_string(r, path, err) : NULL;
	return join->ns_file ? 0 : -1;
}

int criu_request_cgroup(struct criu_request *r, const char *controller, const char *path,
			struct oci_err *err)
{
	CriuCgroupRoot *root = add((void ***)&r->opts.cg_root, &r->opts.n_cg_root, sizeof *root);

	if (!root)
		return no_memory(err);
	criu_cgroup_root__init(root);
	root->path = criu_request_string(r, path, err);
	if (!root->path)
		return -1;
	if (!controller)
		return 0;
	root->ctrl = criu_request_string(r, controller, err);
	return root->ctrl ? 0 : -1;
}

static void free_list(void **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void criu_request_free(struct criu_request *r)
{
	CriuOpts *o = &r->opts;

	free_list((void **)o->ext_mnt, o->n_ext_mnt);
	free_list((void **)o->inherit_fd, o->n_inherit_fd);
	free_list((void **)o->join_ns, o->n_join_ns);
	free_list((void **)o->cg_root, o->n_cg_root);
	free_list((void **)r->strings, r->n_strings);
	free(o->external);
	own_close_fd(&r->images);
	own_close_fd(&r->work);
	*r = (struct criu_request){.images = -1, .work = -1};
}
