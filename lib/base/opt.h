/*
 * One option table makes the parser, --help, the completions and the check of
 * the man page.
 *
 *	static bool force;
 *	static const struct opt options[] = {
 *		{'f', "force", NULL, OPT_FLAG, &force, "end it if it runs"},
 *		OPT_END,
 *	};
 *
 * Options may stand before, between and after the operands; "--" ends them.
 * "--name=value", "--name value", "-n value" and "-nvalue" all work, a long
 * name may be written with one dash ("-bundle"), as Go programs allow. An
 * unknown option's error names the nearest one that there is.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

enum opt_type {
	OPT_FLAG,    /* bool *: set to true; "--name=false" sets false */
	OPT_STRING,  /* const char **: points into argv */
	OPT_STRINGS, /* struct opt_list *: may be given many times */
	OPT_UINT,    /* unsigned * */
	OPT_FD,	     /* int *: a descriptor's number */
	OPT_PATH,    /* const char **: made absolute; "-" stays; never freed */
};

struct opt {
	char letter;	   /* 0: none */
	const char *name;  /* without dashes */
	const char *value; /* what --help calls its value; NULL for OPT_FLAG */
	enum opt_type type;
	void *target;
	const char *help; /* one line, lower case; NULL: not shown (compatibility only) */
};

#define OPT_END ((struct opt){0})

struct opt_list {
	const char **items; /* point into argv; never freed */
	size_t n;
};

struct command {
	const char *name;		/* "oci-mount" */
	const char *operands;		/* "CONTAINER-ID" */
	const char *purpose;		/* one line: what it does */
	const char *details;		/* a few more lines for --help, or NULL */
	const char *example;		/* a line that works, or NULL */
	int min_operands, max_operands; /* max -1: any number */
	bool stop_at_operand;		/* the first operand ends the options (oci, oci-nsenter) */
	const struct opt *options;
};

/*
 * Parses argv[1..] by the table of the command and the global options. Operands
 * are moved to the front: *ret_argv points at the first. FAULT_USAGE for what
 * is wrong, also for too few or too many operands. --help is for the caller:
 * opt_wants_help is true afterwards.
 */
int opt_parse(const struct command *command, const struct opt *global, int argc, char **argv,
	      int *ret_argc, char ***ret_argv, struct oci_err *err);

extern bool opt_wants_help;

/* The path made absolute with the working directory; the caller frees it. NULL with *err. */
char *opt_absolute(const char *path, struct oci_err *err);

/*
 * The same for the build, which makes completions of it: lines of words with tabs between,
 *
 *	command NAME OPERANDS PURPOSE
 *	option LETTER NAME VALUE HELP
 *	global LETTER NAME VALUE HELP
 *
 * with "-" for what is not there. Options that --help does not show are left out.
 */
void opt_dump(const struct command *command, const struct opt *global, FILE *out);

void opt_help(const struct command *command, const struct opt *global, FILE *out);

#endif
