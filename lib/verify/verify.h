/*
 * Whether a container is what its config.json says, looked at from outside.
 *
 *	own_verify_report struct verify_report report = {0};
 *
 *	if (verify_container(c, &report, err) < 0)
 *		...
 *	if (json_length(report.differences) > 0)
 *		...
 *
 * The snapshot is compared with the kernel's view of the container's first
 * process and of its cgroup. Nothing that the container could have forged is
 * believed: /proc is our own (kernel/proc.h), paths of the container are
 * resolved beneath its root by openat2(2).
 *
 * Each property of config.json is in a table, with who compares it, or with why
 * nobody can. What is set and cannot be seen is in report.hidden, never left
 * out in silence.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "base/err.h"
#include "base/json.h"
#include "oci/container.h"

struct verify_report {
	/* {"pointer", "wanted", "found", "where"}, all strings: "where" is the file or call. */
	struct json_object *differences;
	/* {"pointer", "reason"} */
	struct json_object *hidden;
	unsigned compared; /* so many values were compared */
};

/*
 * Compares a created or running container (also a paused one). -1 with *err;
 * FAULT_STATE if there is no process, or if it ends meanwhile.
 */
int verify_container(struct container *c, struct verify_report *report, struct oci_err *err);

void verify_report_clear(struct verify_report *report);

#define own_verify_report __attribute__((cleanup(verify_report_clear)))

/* The table: who is asked for a property of spec.def. */
struct verify_row {
	const char *pointer; /* as in spec.def; stands for everything below it that has no row */
	const char *area;    /* the file of lib/verify, or NULL */
	const char *hidden;  /* why nobody can say, or NULL */
};

/* The row for a pointer of spec.def, the longest that fits; NULL: nobody has thought of it. */
const struct verify_row *verify_find(const char *pointer);

#endif
