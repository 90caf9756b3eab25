/* oci COMMAND: the front end, with runc's global options and exit codes. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/own.h"
#include "commands.h"
#include "tool.h"

static const struct command front_end = {
	.name = "oci",
	.operands = "COMMAND [ARGUMENTS]",
	.purpose = "A container runtime that can be taken apart.",
	.max_operands = -1,
	.stop_at_operand = true,
};

static const struct {
	const char *group;
	const char *lines[10][2];
} help_groups[] = {
	{"Run a container",
	 {{"create", "make a container from a bundle, ready to be started"},
	  {"start", "start the program of a created container"},
	  {"run", "create, start, wait and delete"},
	  {"exec", "run a further program in a running container"},
	  {"kill", "send a signal"},
	  {"delete", "remove a container that has ended"}}},
	{"Look at containers",
	 {{"state", "print a container's state"},
	  {"list", "list containers"},
	  {"ps", "list a container's processes"},
	  {"events", "print resource usage"},
	  {"verify", "compare a running container with its config.json"}}},
	{"Change a running container",
	 {{"pause", "stop all its processes for a while"},
	  {"resume", "let them go on"},
	  {"update", "change its limits"},
	  {"checkpoint", "save it to disk"},
	  {"restore", "bring it back from disk"}}},
	{"Prepare a bundle",
	 {{"spec", "write a default config.json"},
	  {"validate", "say everything that is wrong with a bundle"},
	  {"bundle", "make a bundle from a root file system or an image"},
	  {"features", "print what this runtime can do, as JSON"}}},
	{"Take a creation apart (the stages, in their order)",
	 {{"validate", "check the bundle and record the container"},
	  {"seccomp", "compile its filter of system calls"},
	  {"cgroup", "make its cgroup"},
	  {"nsenter-setup", "make its namespaces and first process"},
	  {"prepare-root", "make the root file system a mount of its own"},
	  {"mount", "make its mounts and devices"},
	  {"hook", "run hooks"},
	  {"pivot", "make the root file system its /"},
	  {"nsenter", "look into a container, also a half-made one"}}},
};

/* A command that this executable has not is not offered. */
static void print_command(const char *const line[2])
{
	char name[32];

	snprintf(name, sizeof name, "oci-%s", line[0]);
	if (command_find(name))
		printf("  %-14s %s\n", line[0], line[1]);
}

static void print_help(void)
{
	opt_help(&front_end, tool_global_options, stdout);
	for (size_t i = 0; i < ARRAY_SIZE(help_groups); i++) {
		printf("\n%s:\n", help_groups[i].group);
		for (size_t k = 0; help_groups[i].lines[k][0]; k++)
			print_command(help_groups[i].lines[k]);
	}
	puts("\noci COMMAND --help says more about a command.");
}

static int unknown_command(const char *name)
{
	own_err struct oci_err err = ERR_INIT;
	const char *near = NULL;
	int best = -1;

	for (const struct command_entry *c = command_entries; c->name; c++) {
		const char *known = c->name + (strcmp(c->name, "oci") == 0 ? 3 : strlen("oci-"));
		int distance = nearest_distance(name, known);

		if (distance >= 0 && (best < 0 || distance < best)) {
			best = distance;
			near = known;
		}
	}
	if (near)
		err_set(&err, FAULT_USAGE, "unknown command \"%s\" (did you mean \"%s\"?)", name,
			near);
	else
		err_set(&err, FAULT_USAGE, "unknown command \"%s\"", name);
	err_hint(&err, "oci --help lists the commands");
	return tool_fail(&err);
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	const struct command_entry *command;
	char name[32];

	tool.command = front_end.name;
	tool.front_end = true;
	if (opt_parse(&front_end, tool_global_options, argc, argv, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	if (tool.dump_options) {
		opt_dump(&front_end, tool_global_options, stdout);
		return 0;
	}
	if (tool.version) {
		tool_print_version();
		return 0;
	}
	if (argc && !opt_wants_help && strcmp(argv[0], "help") == 0) {
		static char help[] = "--help";

		opt_wants_help = argc == 1;
		argv[0] = argv[1];
		argv[1] = help;
		argc = 2;
	}
	if (opt_wants_help || argc == 0) {
		print_help();
		return 0;
	}
	snprintf(name, sizeof name, "oci-%s", argv[0]);
	command = command_find(name);
	return command ? command->main(argc, argv) : unknown_command(argv[0]);
}
