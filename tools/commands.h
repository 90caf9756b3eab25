/* The commands in this executable; the table is generated from the file names. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

struct command_entry {
	const char *name; /* "oci-mount" */
	int (*main)(int argc, char **argv);
};

/* Sorted; ends with a NULL name. */
extern const struct command_entry command_entries[];

/* NULL if there is no command of that name. */
const struct command_entry *command_find(const char *name);

#endif
