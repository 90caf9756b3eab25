/*
 * Purpose: read what only a process in the container's namespaces can: names,
 *   kernel parameters, network devices.
 * Runs in: the container's namespaces but for mount and pid (kernel/joined.h).
 * Should: read through a procfs opened before.
 * Mustn't: look at a path of the container; write.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/joined.h"
#include "kernel/ns.h"
#include "kernel/sysctl.h"
#include "verify/area.h"

enum { VALUE_MAX = 64 << 10 };

struct seen {
	const struct verify *v;
	int proc;
	struct utsname names;
	struct json_object *sysctl;  /* key: value; a key that cannot be read is not there */
	struct json_object *devices; /* names of network devices */
};

/* Blanks of any kind and number are one blank. */
static char *plain(const char *text)
{
	char *copy = strdup(text), *to = copy;

	for (const char *c = text; copy && *c;) {
		size_t blanks = strspn(c, " \t\n");

		if (blanks && to != copy && c[blanks])
			*to++ = ' ';
		c += blanks;
		if (*c)
			*to++ = *c++;
	}
	if (copy)
		*to = '\0';
	return copy;
}

static void read_sysctl(struct seen *s, const char *key)
{
	own_ptr char *path = sysctl_file(key), *text = NULL;
	own_fd int fd = -1;
	size_t len;

	if (!path)
		return;
	fd = sys_openat2(s->proc, path, O_RDONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd >= 0 && fd_read_all(fd, VALUE_MAX, &text, &len) == 0)
		json_object_object_add(s->sysctl, key, json_object_new_string(text));
}

static void find_device(struct seen *s, const char *outside, const struct json_object *device)
{
	const char *name = json_string(device, "name");

	if (!name || !*name)
		name = outside;
	if (if_nametoindex(name))
		json_object_array_add(s->devices, json_object_new_string(name));
}

static int look(void *arg, struct oci_err *err)
{
	struct seen *s = arg;
	struct json_object_iter i;
	struct json_object *sysctl = json_member(s->v->lnx, "sysctl");
	struct json_object *devices = json_member(s->v->lnx, "netDevices");

	(void)err;
	uname(&s->names);
	if (sysctl)
		json_object_object_foreachC(sysctl, i) read_sysctl(s, i.key);
	if (devices)
		json_object_object_foreachC(devices, i) find_device(s, i.key, i.val);
	return 0;
}

static void compare_names(struct verify *v, const struct seen *s)
{
	const char *host = json_string(v->config, "hostname");
	const char *domain = json_string(v->config, "domainname");

	if (!(v->namespaces & CLONE_NEWUTS))
		return;
	if (host && *host)
		verify_text(v, "/hostname", "uname(2)", host, s->names.nodename);
	if (domain && *domain)
		verify_text(v, "/domainname", "uname(2)", domain, s->names.domainname);
}

static void compare_sysctl(struct verify *v, const struct seen *s)
{
	struct json_object *wanted = json_member(v->lnx, "sysctl");

	if (!wanted)
		return;
	json_object_object_foreach (wanted, key, value) {
		const char *found = json_string(s->sysctl, key);
		own_ptr char *pointer = json_pointer_to("/linux/sysctl", key);
		own_ptr char *want = plain(json_object_get_string(value));
		own_ptr char *got = found ? plain(found) : NULL;

		if (pointer && want)
			verify_text(v, pointer, key, want, got);
	}
}

static bool contains(const struct json_object *array, const char *text)
{
	for (size_t i = 0; i < json_length(array); i++)
		if (strcmp(json_item_string(array, i), text) == 0)
			return true;
	return false;
}

static void compare_devices(struct verify *v, const struct seen *s)
{
	struct json_object *wanted = json_member(v->lnx, "netDevices");

	if (!wanted)
		return;
	json_object_object_foreach (wanted, name, device) {
		const char *inside = json_string(device, "name");
		own_ptr char *pointer = json_pointer_to("/linux/netDevices", name);

		if (!inside || !*inside)
			inside = name;
		if (pointer)
			verify_text(v, pointer, "the network namespace", inside,
				    contains(s->devices, inside) ? inside : "no such device");
	}
}

int verify_joined(struct verify *v, struct oci_err *err)
{
	own_json struct json_object *sysctl = json_object_new_object();
	own_json struct json_object *devices = json_object_new_array();
	struct seen s = {.v = v, .proc = -1, .sysctl = sysctl, .devices = devices};
	/* The cgroup namespace shows nothing here, and a mount namespace nothing to be trusted. */
	int flags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	own_fd int proc = -1;

	if (!json_has(v->config, "hostname") && !json_has(v->config, "domainname") &&
	    !json_has(v->lnx, "sysctl") && !json_has(v->lnx, "netDevices"))
		return 0;
	proc = sysctl_open(err);
	if (proc < 0)
		return -1;
	s.proc = proc;
	/* What it shares with the host need not be joined, and a user may not. */
	flags = joined_differing(v->c->state->init.pid, flags, err);
	if (flags < 0)
		return -1;
	if (joined_run(v->c, flags, look, &s, err) < 0)
		return -1;
	compare_names(v, &s);
	compare_sysctl(v, &s);
	compare_devices(v, &s);
	return 0;
}
