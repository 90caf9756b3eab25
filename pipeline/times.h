/*
 * How long each step took: as lines while it goes (--steps), as bars at the end
 * (--timing), as a Chrome trace (--trace).
 */
#ifndef PIPELINE_TIMES_H
#define PIPELINE_TIMES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { TIMES_MAX = 300 };

struct span {
	const char *name;    /* of the step; borrowed */
	int64_t begin, end;  /* microseconds, monotonic */
	const char *outcome; /* "done", "failed", "none" (nothing to do); static */
	char *text;	     /* what was done, or NULL */
};

struct times {
	bool lines;	/* print each as it ends */
	bool want_text; /* somebody shows what was done */
	struct span spans[TIMES_MAX];
	unsigned n;
};

int64_t times_now(void);

/* Begins a span; end it with times_end(). No effect on NULL, which is "off". text is taken over. */
void times_begin(struct times *times, const char *name);
void times_end(struct times *times, const char *outcome, char *text);

/* The bars. */
void times_draw(const struct times *times, FILE *out);

/* The trace, for chrome://tracing and ui.perfetto.dev. */
int times_trace(const struct times *times, const char *file, const char *id, struct oci_err *err);

void times_clear(struct times *times);

#endif
