/*
 * The one executable: hardens itself, then acts as the name it is called by.
 *
 * Purpose: nothing that follows, in any command, may run with a half-trusted
 *   start: set-user-ID, descriptors 0 to 2 closed, foreign descriptors that a
 *   child would inherit, a debugger's door (dumpable).
 * Undo: nothing.
 */
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "commands.h"
#include "tool.h"

int oci_main(int argc, char **argv);

static int harden(struct oci_err *err)
{
	if (getauxval(AT_SECURE))
		return err_set(err, FAULT_USAGE,
			       "refuses to run set-user-ID or with capabilities "
			       "from its file: install it without");
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, errno, "cannot make this process non-dumpable");
	/* What a child shall inherit (--preserve-fds, a lock) is named when it is made. */
	if (fd_begin() < 0)
		return err_sys(err, errno, "cannot secure the descriptors");
	umask(022);
	return 0;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	const struct command_entry *command;
	const char *slash, *name;

	if (argc < 1)
		return FAULT_USAGE;
	slash = strrchr(argv[0], '/');
	name = slash ? slash + 1 : argv[0];
	tool.command = name;
	if (harden(&err) < 0)
		return tool_fail(&err);
	command = command_find(name);
	return command ? command->main(argc, argv) : oci_main(argc, argv);
}
