/* Namespaces, and what is to become of the first process, as shell commands. */
#include <ctype.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "dry_run.h"
#include "kernel/ns.h"

/* unshare(1) in Debian 12 takes one range: OUTER,INNER,COUNT. */
static void mapping(const struct shell *sh, FILE *line, const char *property, const char *option)
{
	const struct json_object *maps = json_path(sh->bundle->config, "linux", property, NULL);
	const struct json_object *first = json_item(maps, 0);

	if (!first)
		return;
	fprintf(line, " --%s=%llu,%llu,%llu", option,
		(unsigned long long)json_uint(first, "hostID", 0),
		(unsigned long long)json_uint(first, "containerID", 0),
		(unsigned long long)json_uint(first, "size", 1));
	if (json_length(maps) > 1)
		shell_comment(sh, NULL, "%s: unshare can say the first of %zu ranges only",
			      property, json_length(maps));
}

/* Whether root in there is who types the command: then there is no other user to become. */
static bool maps_caller(const struct shell *sh)
{
	const struct json_object *first =
		json_item(json_path(sh->bundle->config, "linux", "uidMappings", NULL), 0);

	return json_uint(first, "containerID", 0) == 0 &&
	       json_uint(first, "hostID", 0) == (uint64_t)geteuid();
}

static void time_offsets(const struct shell *sh, FILE *line)
{
	const struct json_object *offsets =
		json_path(sh->bundle->config, "linux", "timeOffsets", NULL);
	static const char *const clocks[] = {"monotonic", "boottime"};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		const struct json_object *offset = json_member(offsets, clocks[i]);

		if (offset)
			fprintf(line, " --%s %lld", clocks[i],
				(long long)json_int(offset, "secs", 0));
	}
}

/* unshare(1) calls two of them otherwise than config.json. */
static const char *option_name(const char *type)
{
	return strcmp(type, "network") == 0 ? "net" : type;
}

static void join_and_unshare(const struct shell *sh, FILE *line)
{
	const struct json_object *list = json_path(sh->bundle->config, "linux", "namespaces", NULL);
	uint64_t made = ns_new(sh->bundle->config);
	bool joins = false;

	for (size_t i = 0; i < json_length(list); i++) {
		const char *path = json_string(json_item(list, i), "path");
		own_ptr char *quoted = path && *path ? shell_quote(path) : NULL;

		if (!quoted)
			continue;
		fprintf(line, "%s --%s=%s", joins ? "" : "nsenter",
			option_name(json_string(json_item(list, i), "type")), quoted);
		joins = true;
	}
	fprintf(line, "%sunshare", joins ? " " : "");
	for (size_t i = 0; i < n_ns_types; i++)
		if (made & ns_types[i].flag)
			fprintf(line, " --%s", option_name(ns_types[i].name));
	if (made & CLONE_NEWUSER) {
		mapping(sh, line, "uidMappings", "map-users");
		mapping(sh, line, "gidMappings", "map-groups");
		if (!maps_caller(sh))
			fputs(" --setuid 0 --setgid 0", line);
	}
	time_offsets(sh, line);
	if (made & CLONE_NEWNS)
		fputs(" --propagation unchanged", line);
	if (made & CLONE_NEWPID)
		fputs(" --fork", line);
}

/* Commands that set a name, if config.json has it. */
static void set_name(const struct shell *sh, const char *property)
{
	const char *name = json_string(sh->bundle->config, property);
	own_ptr char *quoted = name && *name ? shell_quote(name) : NULL;
	char pointer[32];

	if (!quoted)
		return;
	snprintf(pointer, sizeof pointer, "/%s", property);
	shell_comment(sh, pointer, "%s", "");
	shell_run(sh, "%s %s", property, quoted);
}

void dry_run_namespaces(const struct shell *sh, const char *end)
{
	own_ptr char *text = NULL;
	size_t size;
	FILE *line = open_memstream(&text, &size);

	if (!line)
		return;
	shell_stage(sh, "nsenter-setup", "what follows runs inside");
	shell_comment(sh, "/linux/namespaces", "%s", "");
	join_and_unshare(sh, line);
	fclose(line);
	shell_run(sh, "%s sh -eu /dev/fd/3 3<<'%s'\nexec 3<&-", text, end);
}

void dry_run_names(const struct shell *sh)
{
	set_name(sh, "hostname");
	set_name(sh, "domainname");
	if (ns_new(sh->bundle->config) & CLONE_NEWNET)
		shell_run(sh, "ip link set lo up");
}

static void rlimits(const struct shell *sh, const struct json_object *process)
{
	const struct json_object *list = json_member(process, "rlimits");

	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *limit = json_item(list, i);
		const char *type = json_string(limit, "type");
		char pointer[48], name[32] = "";

		for (size_t k = strlen("RLIMIT_"); type && k < strlen(type); k++)
			if (strlen(name) + 1 < sizeof name)
				name[strlen(name)] = (char)tolower((unsigned char)type[k]);
		snprintf(pointer, sizeof pointer, "/process/rlimits/%zu", i);
		shell_comment(sh, pointer, "%s", "");
		shell_run(sh, "prlimit --pid $$ --%s=%llu:%llu", name,
			  (unsigned long long)json_uint(limit, "soft", 0),
			  (unsigned long long)json_uint(limit, "hard", 0));
	}
}

/* What setpriv(1) of the host could do, were it still there after the pivot. */
static void credentials(const struct shell *sh, const struct json_object *process)
{
	const struct json_object *user = json_member(process, "user");
	own_ptr char *bounding = shell_words(json_path(process, "capabilities", "bounding", NULL));

	shell_comment(sh, "/process/user", "user %llu, group %llu",
		      (unsigned long long)json_uint(user, "uid", 0),
		      (unsigned long long)json_uint(user, "gid", 0));
	shell_comment(sh, "/process/capabilities", "keeps %s",
		      bounding && *bounding ? bounding : "none");
	if (json_true(process, "noNewPrivileges"))
		shell_comment(sh, "/process/noNewPrivileges", "%s", "");
	if (json_path(sh->bundle->config, "linux", "seccomp", NULL))
		shell_comment(sh, "/linux/seccomp", "a filter of system calls");
}

static void umask_and_oom(const struct shell *sh, const struct json_object *process)
{
	const struct json_object *user = json_member(process, "user");

	if (json_has(process, "oomScoreAdj"))
		shell_run(sh, "echo %lld >/proc/self/oom_score_adj",
			  (long long)json_int(process, "oomScoreAdj", 0));
	if (json_has(user, "umask"))
		shell_run(sh, "umask %03llo", (unsigned long long)json_uint(user, "umask", 0));
}

void dry_run_process(const struct shell *sh)
{
	const struct json_object *process = json_member(sh->bundle->config, "process");
	const char *cwd = json_string(process, "cwd");
	own_ptr char *args = shell_words(json_member(process, "args"));
	own_ptr char *env = shell_words(json_member(process, "env"));
	own_ptr char *dir = shell_quote(cwd ? cwd : "/");
	bool readonly = json_true(json_member(sh->bundle->config, "root"), "readonly");

	if (process) {
		rlimits(sh, process);
		umask_and_oom(sh, process);
	}
	if (readonly) {
		shell_comment(sh, "/root/readonly", "%s", "");
		shell_run(sh, "mount -o remount,bind,ro \"$ROOTFS\"");
	}
	shell_comment(sh, NULL, "the old root lies over the new one, until it is unmounted");
	shell_run(sh, "cd \"$ROOTFS\"\npivot_root . .\numount -l .\ncd /");
	if (!process)
		return;
	shell_stage(sh, "start", "the process waits until oci-start lets it go on as:");
	credentials(sh, process);
	shell_run(sh, "cd %s", dir);
	shell_run(sh, "exec env -i %s %s", env, args);
}
