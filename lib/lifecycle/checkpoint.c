/*
 * Purpose: have criu save a container.
 * Runs in: the runtime's namespaces; criu too.
 * Should: leave the container as it was if it cannot be saved.
 * Mustn't: give criu a path of the container's that was not compared with the config.
 * Undo: criu lets the processes go on.
 */
#include "lifecycle/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "lifecycle/criu_mounts.h"
#include "lifecycle/criu_request.h"
#include "lifecycle/lifecycle.h"

static char log_name[] = "dump.log";

static int refuse(const struct container *c, struct oci_err *err)
{
	enum oci_status status = lifecycle_status(c);

	if (status == STATUS_RUNNING)
		return 0;
	return err_set(err, FAULT_STATE,
		       "cannot checkpoint container \"%s\": it is %s, not running", c->id,
		       status_name(status));
}

/* In a user namespace devices are mounts of the host's, and criu cannot mount them again there. */
static int refuse_user_namespace(const struct container *c, struct oci_err *err)
{
	if (!(ns_listed(c->config) & CLONE_NEWUSER))
		return 0;
	return err_set(err, FAULT_UNSUPPORTED,
		       "cannot checkpoint container \"%s\": criu could not restore its user "
		       "namespace, where devices are mounts",
		       c->id);
}

/* "ADDRESS:PORT" */
static int set_page_server(struct criu_request *r, const char *text, struct oci_err *err)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	uint64_t port;
	char *address;

	if (!text)
		return 0;
	if (!colon || !num_uint(colon + 1, 1, 65535, &port))
		return err_set(err, FAULT_USAGE, "--page-server \"%s\": it is ADDRESS:PORT", text);
	address = criu_request_string(r, text, err);
	if (!address)
		return -1;
	address[colon - text] = '\0';
	r->page_server.address = address;
	r->page_server.has_port = true;
	r->page_server.port = (int32_t)port;
	r->opts.ps = &r->page_server;
	return 0;
}

/* Where there is a v1 freezer it is that, else the v2 directory. */
static int set_freezer(struct criu_request *r, const struct container *c, struct oci_err *err)
{
	struct cgroup_location place;
	char path[PATH_MAX] = "";

	for (size_t i = 0; cgroup_location(c->state->cgroup, i, &place); i++)
		if (strcmp(place.controllers, "freezer") == 0 || (!*place.controllers && !*path))
			snprintf(path, sizeof path, "%s%s", place.mount, place.path);
	if (!*path)
		return 0;
	r->opts.freeze_cgroup = criu_request_string(r, path, err);
	return r->opts.freeze_cgroup ? 0 : -1;
}

/* A network or pid namespace that the container has joined is not saved. */
static int set_namespaces(struct criu_request *r, const struct container *c, struct oci_err *err)
{
	static const struct {
		const char *type, *file, *name;
	} external[] = {{"network", "net", "extRootNetNS"}, {"pid", "pid", "extRootPidNS"}};
	const struct json_object *list = json_path(c->config, "linux", "namespaces", NULL);
	int proc = proc_fd(err);

	if (proc < 0)
		return -1;
	for (size_t i = 0; i < json_length(list); i++)
		for (size_t k = 0; k < ARRAY_SIZE(external); k++) {
			const char *type = json_string(json_item(list, i), "type");
			const char *path = json_string(json_item(list, i), "path");
			char text[96];
			struct stat st;

			if (!path || !*path || !type || strcmp(type, external[k].type) != 0)
				continue;
			snprintf(text, sizeof text, "%d/ns/%s", (int)c->state->init.pid,
				 external[k].file);
			if (fstatat(proc, text, &st, 0) < 0)
				return err_sys(err, errno, "cannot look at the %s namespace", type);
			snprintf(text, sizeof text, "%s[%llu]:%s", external[k].file,
				 (unsigned long long)st.st_ino, external[k].name);
			if (criu_request_external(r, text, err) < 0)
				return -1;
		}
	return 0;
}

/*
 * A stream that leads to a file outside the container, as its output may, is a descriptor for the
 * restore to give again; ret_name is what the images call it. Else "".
 */
static int name_outer_file(const struct container *c, int proc, int i, const char *mountinfo,
			   char ret_name[static 64])
{
	char path[48], line[32], *id;
	own_ptr char *info = NULL;
	struct stat st;
	size_t len;
	uint64_t mount;

	*ret_name = '\0';
	snprintf(path, sizeof path, "%d/fd/%d", (int)c->state->init.pid, i);
	if (fstatat(proc, path, &st, 0) < 0 || !S_ISREG(st.st_mode))
		return 0;
	snprintf(path, sizeof path, "%d/fdinfo/%d", (int)c->state->init.pid, i);
	if (fd_read_file(proc, path, 4096, &info, &len) < 0)
		return -1;
	id = strstr(info, "mnt_id:\t");
	if (!id)
		return 0;
	id += strlen("mnt_id:\t");
	id[strcspn(id, "\n")] = '\0';
	if (!num_uint(id, 0, INT64_MAX, &mount))
		return 0;
	snprintf(line, sizeof line, "\n%llu ", (unsigned long long)mount);
	if (!strstr(mountinfo, line) && strncmp(mountinfo, line + 1, strlen(line) - 1) != 0)
		snprintf(ret_name, 64, "file[%llx:%llx]", (unsigned long long)mount,
			 (unsigned long long)st.st_ino);
	return 0;
}

static int name_stream(const struct container *c, struct criu_request *r, int i,
		       const char *mountinfo, struct json_object *list, struct oci_err *err)
{
	char path[48], target[PATH_MAX] = "", name[64];
	int proc = proc_fd(err);

	if (proc < 0)
		return -1;
	snprintf(path, sizeof path, "%d/fd/%d", (int)c->state->init.pid, i);
	if (readlinkat(proc, path, target, sizeof target - 1) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot look at descriptor %d of the process", i);
	if (*target && name_outer_file(c, proc, i, mountinfo, name) < 0)
		return err_sys(err, errno, "cannot look at descriptor %d of the process", i);
	if (*target && *name && criu_request_external(r, name, err) < 0)
		return -1;
	json_object_array_add(list, json_object_new_string(*target && *name ? name : target));
	return 0;
}

static int save_descriptors(const struct container *c, struct criu_request *r, struct oci_err *err)
{
	own_json struct json_object *list = json_object_new_array();
	own_ptr char *mountinfo = criu_mounts_text(c, err);
	own_fd int fd = -1;
	const char *text;

	if (!mountinfo)
		return -1;
	for (int i = 0; i < 3; i++)
		if (name_stream(c, r, i, mountinfo, list, err) < 0)
			return -1;
	text = json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN);
	fd = openat(r->images, "descriptors.json",
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		return err_sys(err, errno, "cannot write descriptors.json");
	return 0;
}

static int fill(struct criu_request *r, const struct container *c, const struct checkpoint *what,
		struct oci_err *err)
{
	CriuOpts *o = &r->opts;

	o->has_pid = true;
	o->pid = c->state->init.pid;
	o->root = criu_request_string(r, c->state->rootfs, err);
	if (!o->root)
		return -1;
	if (criu_request_config(r, c, err) < 0)
		return -1;
	o->has_leave_running = o->leave_running = what->leave_running;
	o->has_tcp_skip_in_flight = o->tcp_skip_in_flight = what->tcp_skip_in_flight;
	o->has_evasive_devices = o->evasive_devices = true;
	/* What was written before is kept track of from the first pre-dump on. */
	o->has_track_mem = o->track_mem = what->pre_dump || what->parent_path;
	if (what->parent_path) {
		o->parent_img = criu_request_string(r, what->parent_path, err);
		if (!o->parent_img)
			return -1;
	}
	if (set_page_server(r, what->page_server, err) < 0 || set_freezer(r, c, err) < 0)
		return -1;
	/* A pre-dump saves memory only. */
	if (what->pre_dump)
		return 0;
	if (set_namespaces(r, c, err) < 0 || criu_mounts_saved(c, r, err) < 0)
		return -1;
	return save_descriptors(c, r, err);
}

static int check_features(struct criu *criu, const struct checkpoint *what, struct oci_err *err)
{
	CriuRequest request = CRIU_REQUEST__INIT;
	CriuFeatures features = CRIU_FEATURES__INIT;
	CriuResponse *response = NULL;
	bool has_all;

	if (!what->pre_dump && !what->options.lazy_pages)
		return 0;
	request.type = CRIU_TYPE__FEATURE_CHECK;
	request.has_keep_open = request.keep_open = true;
	request.features = &features;
	features.has_mem_track = features.mem_track = what->pre_dump;
	features.has_lazy_pages = features.lazy_pages = what->options.lazy_pages;
	if (criu_call(criu, &request, NULL, NULL, &response, err) < 0)
		return err_wrap(err, "cannot ask criu for what it can do");
	has_all = response->features && (!what->pre_dump || response->features->mem_track) &&
		  (!what->options.lazy_pages || response->features->lazy_pages);
	criu_response__free_unpacked(response, NULL);
	if (!has_all)
		return err_set(err, FAULT_UNSUPPORTED, "criu says that this kernel cannot %s",
			       what->pre_dump ? "track written memory (--pre-dump)"
					      : "fetch pages lazily (--lazy-pages)");
	return 0;
}

static int notify(void *arg, const char *script, pid_t pid, int fd, struct oci_err *err)
{
	const struct checkpoint *what = arg;

	(void)pid;
	(void)fd;
	/* Whoever migrates waits for it: from now on pages can be fetched. */
	if (strcmp(script, "status-ready") == 0 && what->status_fd >= 0 &&
	    write(what->status_fd, "", 1) != 1)
		return err_sys(err, errno, "cannot write to the status descriptor");
	return 0;
}

static int dump(struct criu *criu, struct criu_request *r, const struct checkpoint *what,
		struct oci_err *err)
{
	struct criu_start start = {.rootfs = -1};

	if (criu_start(criu, &start, err) < 0 || check_features(criu, what, err) < 0)
		return -1;
	if (criu_call(criu, &r->message, notify, (void *)(uintptr_t)what, NULL, err) == 0)
		return 0;
	criu_explain(r->work, r->work_path, log_name, err);
	return -1;
}

int lifecycle_checkpoint(struct container *c, const struct checkpoint *what, struct oci_err *err)
{
	own_criu_request struct criu_request r = {.images = -1, .work = -1};
	struct criu criu = CRIU_INIT;
	int result;

	if (refuse(c, err) < 0 || container_load_config(c, err) < 0 ||
	    refuse_user_namespace(c, err) < 0)
		return -1;
	result = criu_request_begin(&r, what->pre_dump ? CRIU_TYPE__PRE_DUMP : CRIU_TYPE__DUMP,
				    &what->options, log_name, err) < 0 ||
				 fill(&r, c, what, err) < 0
			 ? -1
			 : dump(&criu, &r, what, err);
	criu_end(&criu);
	return result < 0 ? err_wrap(err, "cannot checkpoint container \"%s\"", c->id) : 0;
}
