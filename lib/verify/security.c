/* linux.seccomp, process.apparmorProfile, process.selinuxLabel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "verify/area.h"

/* More filters than one are no difference: a program may add its own, and a caller had some. */
static void compare_seccomp(struct verify *v)
{
	const bool at_exec = json_true(v->process, "noNewPrivileges");
	char place[64], mode[16], filters[16];

	if (!json_has(v->lnx, "seccomp"))
		return;
	if (!v->started && at_exec) {
		verify_hidden(v, "/linux/seccomp",
			      "the filter is installed when the program starts");
		return;
	}
	verify_place(v, "status", place);
	if (!verify_status(v, "Seccomp", mode, sizeof mode)) {
		verify_hidden(v, "/linux/seccomp", "this kernel has no seccomp");
		return;
	}
	verify_text(v, "/linux/seccomp", place, "mode 2 (filter)",
		    strcmp(mode, "2") == 0 ? "mode 2 (filter)" : "no filter");
	if (verify_status(v, "Seccomp_filters", filters, sizeof filters))
		verify_bool(v, "/linux/seccomp", place, true, strtoul(filters, NULL, 10) > 0);
	verify_hidden(v, "/linux/seccomp/syscalls",
		      "the kernel shows that there is a filter, not "
		      "which one");
}

static void compare_apparmor(struct verify *v)
{
	const char *wanted = json_string(v->process, "apparmorProfile");
	own_ptr char *text = NULL;
	char place[64];

	if (!wanted || !*wanted)
		return;
	if (!v->started) {
		verify_hidden(v, "/process/apparmorProfile", "it changes when the program starts");
		return;
	}
	text = verify_read(v, "attr/apparmor/current", NULL);
	if (!text)
		text = verify_read(v, "attr/current", NULL);
	/* "docker-default (enforce)" */
	if (text && strchr(text, '('))
		text[strcspn(text, "(") - 1] = '\0';
	verify_place(v, "attr/current", place);
	verify_text(v, "/process/apparmorProfile", place, wanted, text);
}

static void compare_selinux(struct verify *v)
{
	const char *wanted = json_string(v->process, "selinuxLabel");
	own_ptr char *text = NULL;
	char place[64];

	if (!wanted || !*wanted)
		return;
	if (!v->started) {
		verify_hidden(v, "/process/selinuxLabel", "it changes when the program starts");
		return;
	}
	text = verify_read(v, "attr/current", NULL);
	verify_place(v, "attr/current", place);
	verify_text(v, "/process/selinuxLabel", place, wanted, text);
}

int verify_security(struct verify *v, struct oci_err *err)
{
	(void)err;
	compare_seccomp(v);
	compare_apparmor(v);
	compare_selinux(v);
	return 0;
}
