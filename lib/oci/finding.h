/*
 * What validation finds, and how it is told.
 *
 * A finding says what is wrong with one property of config.json. Findings are
 * gathered, so that one run tells them all; finding_report() and
 * finding_json() add the place in the text (base/place.h), which costs a scan
 * that is done only here, when there is something to tell.
 *
 *	own_findings struct findings found = {0};
 *
 *	validate_config(config, &found);
 *	if (found.n_errors)
 *		return finding_fail(&found, text, len, "web/config.json", err);
 */
#ifndef OCI_FINDING_H
#define OCI_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

enum finding_severity { FINDING_ERROR, FINDING_WARNING };

/* What the caret points at. */
enum finding_at {
	AT_VALUE, /* the value of the property is wrong */
	AT_KEY,	  /* that the property is there is wrong */
};

struct finding {
	enum finding_severity severity;
	enum finding_at at;
	char *pointer; /* JSON pointer, not escaped; of what is missing: where it should be */
	char *message; /* escaped, without pointer and place */
	char *hint;    /* or NULL */
	/* A warning that something in config.json is not applied: said at creation as well. */
	bool no_effect;
	/* Filled by finding_locate(): from 1; 0: unknown. */
	unsigned line, column;
};

struct findings {
	struct finding *items;
	size_t n, n_errors, n_warnings;
};

/*
 * Adds a finding. The message is escaped. Returns it, borrowed, or NULL if
 * there is no memory or FINDINGS_MAX are kept already (it is counted all the same).
 */
enum { FINDINGS_MAX = 100 };
struct finding *finding_add(struct findings *found, enum finding_severity severity,
			    enum finding_at at, const char *pointer, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Gives a finding a hint; NULL is ignored, so that finding_add() can be the argument. */
void finding_hint(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Says so of a warning; NULL is ignored. */
void finding_no_effect(struct finding *finding);

void findings_clear(struct findings *found);

#define own_findings __attribute__((cleanup(findings_clear)))

/* Fills in lines and columns, and puts the findings in the order of the text. */
void finding_locate(struct findings *found, const char *text, size_t len);

/*
 * The report for people, located findings only: "NAME:LINE:COLUMN: error: POINTER:
 * MESSAGE", the line, a caret, the hint; at the end "2 errors, 1 warning". With
 * colour, for a terminal. The caller frees it; NULL: no memory.
 */
char *finding_report(const struct findings *found, const char *text, size_t len, const char *name,
		     bool colour);

/* The same as an object {"valid", "errors", "warnings", "findings": [...]}. The caller puts it. */
struct json_object *finding_json(const struct findings *found);

/*
 * Makes one error of them all: the first as message, pointer and hint, the
 * number of the others in the message, the report as details. FAULT_CONFIG, -1.
 */
int finding_fail(struct findings *found, const char *text, size_t len, const char *name,
		 struct oci_err *err);

#endif
