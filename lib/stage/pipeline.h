/*
 * A pipeline: the order of a creation, as text (oci-pipeline(7)).
 *
 *	# what follows a number sign is a comment
 *	validate
 *	mount
 *	exec /usr/local/bin/my-step --flag "two words"
 *	hook prestart createRuntime
 *
 * One stage a line. All stock stages must be there, once and in the stock
 * order: a stage left out would be a part of config.json silently skipped.
 * "exec" lines may stand anywhere after validate. Words are separated by blanks;
 * '...' and "..." keep blanks; there is no other quoting and no substitution.
 */
#ifndef STAGE_PIPELINE_H
#define STAGE_PIPELINE_H

#include <stddef.h>

#include "base/err.h"
#include "stage/stage.h"

enum { PIPELINE_SIZE_MAX = 64 << 10, PIPELINE_STEPS_MAX = 256 };

struct pipeline_step {
	unsigned line;
	const struct stage *stage; /* NULL: a program of the user's */
	char *name;		   /* as recorded: "mount", "hook prestart", "exec /x --flag" */
	char **argv;		   /* of an exec line, NULL-terminated; argv[0] is absolute */
};

struct pipeline {
	char *file; /* its name, for messages */
	struct pipeline_step *steps;
	size_t n;
};

/*
 * Parses and checks text. NULL with *err (FAULT_USAGE, "FILE:LINE: ..."); the
 * caller: pipeline_free().
 */
struct pipeline *pipeline_parse(const char *text, const char *file, struct oci_err *err);

void pipeline_free(struct pipeline *pipeline);

static inline void own_free_pipeline(struct pipeline *const *pipeline)
{
	pipeline_free(*pipeline);
}

#define own_pipeline __attribute__((cleanup(own_free_pipeline)))

#endif
