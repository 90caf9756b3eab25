/*
 * Writing a shell script that says what a config asks for (--dry-run).
 *
 * Words from the config are quoted, so that the script does what it shows;
 * words in comments are escaped, so that they cannot end the comment.
 */
#ifndef PIPELINE_SHELL_H
#define PIPELINE_SHELL_H

#include <stdio.h>

#include "stage/bundle.h"

struct shell {
	FILE *out;
	const struct bundle *bundle;
};

/* "\n# NAME" and what it is about: a stage begins. */
void shell_stage(const struct shell *sh, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "# /mounts/1 (config.json:30): text"; the pointer may be NULL, the text "". */
void shell_comment(const struct shell *sh, const char *pointer, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * One command. %s words are written as they are, so fmt says what is safe; for
 * anything else pass the result of shell_quote() or shell_path() and free it.
 */
void shell_run(const struct shell *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* text as one word; never NULL but for lack of memory. The caller frees it. */
char *shell_quote(const char *text);

/* A path in the container, as seen before the pivot: "$ROOTFS/dev". The caller frees it. */
char *shell_path(const char *path);

/* The words of an array, each quoted, with blanks between. The caller frees it. */
char *shell_words(const struct json_object *array);

#endif
