/* The cgroup as shell commands. */
#include <string.h>

#include "base/own.h"
#include "dry_run.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_table.h"
#include "kernel/cgroup_tree.h"

static void write_setting(const struct shell *sh, const struct json_object *record,
			  struct cgroup_setting *s)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *text = NULL;
	struct cgroup_hierarchy h;
	char controller[16];

	s->dir = -1;
	s->v2 = !cgroup_controller(s, false, controller) || !cgroup_find_v1(record, controller, &h);
	cgroup_setting_at(s, &err);
	if ((s->v2 && !cgroup_find_v2(record, &h)) || cgroup_format(s, &err) < 0) {
		shell_comment(sh, err.pointer, "this machine cannot do it%s%s",
			      err.message ? ": " : "", err.message ? err.message : "");
		return;
	}
	if (!s->text)
		return;
	shell_comment(sh, err.pointer, "%s", "");
	text = shell_quote(s->text);
	shell_run(sh, "echo %s >%s\"$CGROUP\"/%s", text, h.mount, s->file);
}

static void write_limits(const struct shell *sh, const struct json_object *record,
			 const struct json_object *resources)
{
	static const enum cgroup_phase phases[] = {PHASE_CREATE, PHASE_SETTLE};

	for (size_t p = 0; p < ARRAY_SIZE(phases); p++) {
		own_err struct oci_err err = ERR_INIT;
		struct cgroup_settings settings = {0};

		if (cgroup_collect(resources, phases[p], &settings, &err) < 0)
			shell_comment(sh, err.pointer, "%s", err.message);
		for (size_t i = 0; i < settings.n; i++)
			write_setting(sh, record, &settings.items[i]);
		cgroup_settings_free(&settings);
	}
}

/* v1 has a file for it; v2 a program that no shell command loads. */
static void write_devices(const struct shell *sh, const struct json_object *record,
			  const struct json_object *devices)
{
	struct cgroup_hierarchy h;
	bool v1 = cgroup_find_v1(record, "devices", &h);

	shell_comment(sh, devices ? "/linux/resources/devices" : NULL,
		      v1 ? "and the default devices are always allowed"
			 : "oci-cgroup attaches a BPF program that allows these devices");
	if (!v1)
		return;
	shell_run(sh, "echo a >%s\"$CGROUP\"/devices.deny", h.mount);
	for (size_t i = 0; i < json_length(devices); i++) {
		const struct json_object *d = json_item(devices, i);
		const char *type = json_string(d, "type"), *access = json_string(d, "access");
		int64_t major = json_int(d, "major", -1), minor = json_int(d, "minor", -1);
		char numbers[2][24] = {"*", "*"};

		if (!json_true(d, "allow"))
			continue;
		if (major >= 0)
			snprintf(numbers[0], sizeof numbers[0], "%lld", (long long)major);
		if (minor >= 0)
			snprintf(numbers[1], sizeof numbers[1], "%lld", (long long)minor);
		shell_run(sh, "echo '%s %s:%s %s' >%s\"$CGROUP\"/devices.allow", type ? type : "a",
			  numbers[0], numbers[1], access ? access : "rwm", h.mount);
	}
	shell_run(sh, "for device in 'c *:* m' 'b *:* m' 'c 1:3 rwm' 'c 1:5 rwm' 'c 1:7 rwm' "
		      "'c 1:8 rwm' 'c 1:9 rwm' 'c 5:0 rwm' 'c 5:2 rwm' 'c 136:* rwm'");
	shell_run(sh, "do echo \"$device\" >%s\"$CGROUP\"/devices.allow", h.mount);
	shell_run(sh, "done");
}

/* cpuset v1 takes no process before it has CPUs and memory, which are not inherited. */
static void write_cpuset(const struct shell *sh, const struct json_object *record)
{
	struct cgroup_hierarchy h;

	if (!cgroup_find_v1(record, "cpuset", &h))
		return;
	for (const char *slash = h.path; slash; slash = strchr(slash + 1, '/')) {
		const char *next = strchr(slash + 1, '/');
		own_ptr char *dir =
			strndup(h.path, next ? (size_t)(next - h.path) : strlen(h.path));
		own_ptr char *quoted = dir ? shell_quote(dir) : NULL;

		shell_run(sh, "for file in cpuset.cpus cpuset.mems");
		shell_run(sh, "do cat %s%s/../$file >%s%s/$file", h.mount, quoted, h.mount, quoted);
		shell_run(sh, "done");
	}
}

void dry_run_cgroup(const struct shell *sh, const struct json_object *record)
{
	const struct json_object *linux_config = json_member(sh->bundle->config, "linux");
	const struct json_object *resources = json_member(linux_config, "resources");
	own_ptr char *quoted = NULL;

	if (json_has(record, "systemd")) {
		shell_comment(sh, NULL, "systemd makes %s, over D-Bus",
			      json_string(json_member(record, "systemd"), "unit"));
		return;
	}
	if (cgroup_count(record) == 0) {
		shell_comment(sh, NULL,
			      "none: this user may make none, and no limits are asked for");
		return;
	}
	quoted = shell_quote(cgroup_at(record, 0).path);
	fprintf(sh->out, "CGROUP=%s\nHIERARCHIES='", quoted);
	for (size_t i = 0; i < cgroup_count(record); i++)
		fprintf(sh->out, "%s%s", i ? " " : "", cgroup_at(record, i).mount);
	shell_run(sh, "'\nfor dir in $HIERARCHIES\ndo mkdir -p \"$dir$CGROUP\"\ndone");
	write_cpuset(sh, record);
	write_devices(sh, record, json_member(resources, "devices"));
	write_limits(sh, record, resources);
	shell_run(sh, "for dir in $HIERARCHIES\ndo echo $$ >\"$dir$CGROUP/cgroup.procs\"\ndone");
}

void dry_run_cgroup_remove(const struct shell *sh, const struct json_object *record)
{
	if (cgroup_count(record) == 0)
		return;
	shell_stage(sh, "delete", "when the process has ended");
	shell_run(sh, "for dir in $HIERARCHIES\ndo\n"
		      "\techo $$ >\"$dir/cgroup.procs\"\n"
		      "\trmdir \"$dir$CGROUP\"\ndone");
}
