/*
 * Purpose: compare a container with its config.json.
 * Runs in: the runtime's namespaces; one area joins the container's.
 * Should: open first what it reads later (/proc/PID, the root directory) and check that it is the
 *   container's process; look in the end whether that still lives.
 * Mustn't: change anything; believe what the container could have mounted.
 */
#include "verify/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "base/sys.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"
#include "verify/area.h"

/* ---- The table ------------------------------------------------------------------------------- */

#define AREA(pointer, area)         \
	{                           \
		pointer, area, NULL \
	}
#define HIDDEN(pointer, why)       \
	{                          \
		pointer, NULL, why \
	}

/* Longest first where one begins another; a row stands for all below it. */
static const struct verify_row table[] = {
	HIDDEN("/ociVersion", "the version that the file is written in"),
	AREA("/root", "mounts"),
	AREA("/mounts", "mounts"),
	HIDDEN("/process/terminal", "the terminal is the process's to keep or to close"),
	HIDDEN("/process/consoleSize",
	       "the size of the terminal is for whoever holds it to change"),
	AREA("/process/user", "rights"),
	AREA("/process/capabilities", "rights"),
	AREA("/process/noNewPrivileges", "rights"),
	AREA("/process/args", "program"),
	AREA("/process/env", "program"),
	AREA("/process/cwd", "program"),
	AREA("/process/rlimits", "limits"),
	AREA("/process/oomScoreAdj", "limits"),
	AREA("/process/scheduler", "scheduling"),
	AREA("/process/ioPriority", "scheduling"),
	HIDDEN("/process/execCPUAffinity", "only for processes that oci-exec starts"),
	AREA("/process/apparmorProfile", "security"),
	AREA("/process/selinuxLabel", "security"),
	AREA("/process", "program"),
	AREA("/hostname", "joined"),
	AREA("/domainname", "joined"),
	HIDDEN("/hooks", "hooks leave no trace that is known"),
	HIDDEN("/annotations", "for whoever reads the state"),
	AREA("/linux", "namespaces"),
	AREA("/linux/namespaces", "namespaces"),
	AREA("/linux/uidMappings", "namespaces"),
	AREA("/linux/gidMappings", "namespaces"),
	AREA("/linux/timeOffsets", "namespaces"),
	AREA("/linux/devices", "devices"),
	AREA("/linux/netDevices", "joined"),
	AREA("/linux/cgroupsPath", "cgroup"),
	AREA("/linux/resources/devices", "device_rules"),
	HIDDEN("/linux/resources/memory/checkBeforeUpdate", "decides how a limit is set, once"),
	AREA("/linux/resources", "cgroup"),
	AREA("/linux/rootfsPropagation", "mounts"),
	HIDDEN("/linux/seccomp/listenerPath", "the socket was used once"),
	HIDDEN("/linux/seccomp/listenerMetadata", "it was sent once"),
	AREA("/linux/seccomp", "security"),
	AREA("/linux/sysctl", "joined"),
	AREA("/linux/maskedPaths", "mounts"),
	AREA("/linux/readonlyPaths", "mounts"),
	HIDDEN("/linux/mountLabel", "the kernel shows it only where SELinux runs"),
	AREA("/linux/intelRdt", "rdt"),
	AREA("/linux/memoryPolicy", "scheduling"),
	AREA("/linux/personality", "scheduling"),
};

const struct verify_row *verify_find(const char *pointer)
{
	const struct verify_row *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const size_t len = strlen(table[i].pointer);

		if (strncmp(pointer, table[i].pointer, len) == 0 &&
		    (pointer[len] == '\0' || pointer[len] == '/') && len > best_len) {
			best = &table[i];
			best_len = len;
		}
	}
	return best;
}

/* What is set, and which nobody can see. */
static void note_hidden(struct verify *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *value = NULL;

		if (!table[i].hidden || strcmp(table[i].pointer, "/ociVersion") == 0)
			continue;
		if (json_pointer_get((struct json_object *)(uintptr_t)v->config, table[i].pointer,
				     &value) == 0 &&
		    value)
			verify_hidden(v, table[i].pointer, "%s", table[i].hidden);
	}
}

/* ---- The container --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*compare)(struct verify *v, struct oci_err *err);
} areas[] = {
	{"namespaces", verify_namespaces},
	{"joined", verify_joined},
	{"program", verify_program},
	{"rights", verify_rights},
	{"limits", verify_limits},
	{"scheduling", verify_scheduling},
	{"security", verify_security},
	{"mounts", verify_mounts},
	{"devices", verify_devices},
	{"cgroup", verify_cgroup},
	{"device_rules", verify_device_rules},
	{"rdt", verify_rdt},
};

static int ended(const struct container *c, struct oci_err *err)
{
	err_clear(err);
	return err_set(err, FAULT_STATE,
		       "container \"%s\" is not running: there is nothing to "
		       "compare with",
		       c->id);
}

/*
 * A process that is about to end loses its memory first, then its files, directories and
 * namespaces: without its memory, what was read last may have been half of the truth.
 */
static bool lives(const struct verify *v)
{
	struct stat st;

	if (fstatat(v->proc, "exe", &st, 0) < 0 && (errno == ENOENT || errno == ESRCH))
		return false;
	return proc_alive(&v->c->state->init);
}

static int open_process(struct verify *v, struct oci_err *err)
{
	own_fd int pidfd = proc_open(&v->c->state->init, err);
	char path[32];

	if (pidfd < 0)
		return err->fault == FAULT_STATE ? ended(v->c, err) : -1;
	v->proc_root = proc_fd(err);
	if (v->proc_root < 0)
		return -1;
	snprintf(path, sizeof path, "%d", (int)v->pid);
	v->proc = sys_openat2(v->proc_root, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			      RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	/* Opened first, checked second: the number cannot have changed hands in between. */
	if (v->proc < 0 || !proc_alive(&v->c->state->init))
		return ended(v->c, err);
	v->status = verify_read(v, "status", NULL);
	v->root = openat(v->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (v->status && v->root >= 0)
		return 0;
	if (!lives(v))
		return ended(v->c, err);
	return err_sys(err, errno, "cannot look at process %d", (int)v->pid);
}

static int compare(struct verify *v, struct oci_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		if (areas[i].compare(v, err) < 0) {
			if (!lives(v))
				return ended(v->c, err);
			return err_wrap(err, "cannot compare the %s", areas[i].name);
		}
	}
	note_hidden(v);
	return lives(v) ? 0 : ended(v->c, err);
}

int verify_container(struct container *c, struct verify_report *report, struct oci_err *err)
{
	enum oci_status status = lifecycle_status(c);
	struct verify v = {.c = c, .proc = -1, .root = -1, .report = report};
	int result;

	if (status == STATUS_STOPPED)
		return ended(c, err);
	if (status == STATUS_CREATING)
		return err_set(err, FAULT_STATE, "container \"%s\" is not yet created", c->id);
	if (container_load_config(c, err) < 0)
		return -1;
	report->differences = json_object_new_array();
	report->hidden = json_object_new_array();
	v.config = c->config;
	v.process = json_member(c->config, "process");
	v.lnx = json_member(c->config, "linux");
	v.pid = c->state->init.pid;
	/* A paused one's record still says which of the two it was. */
	v.started = status == STATUS_RUNNING ||
		    (status == STATUS_PAUSED && c->state->status != STATUS_CREATED);
	v.namespaces = ns_listed(c->config);
	result = open_process(&v, err);
	if (result == 0)
		result = compare(&v, err);
	own_close_fd(&v.proc);
	own_close_fd(&v.root);
	free(v.status);
	return result;
}
