/*
 * Signals by name and number, as a person or an engine writes them: "SIGTERM",
 * "TERM", "term", "15", "RTMIN+3", "SIGRTMAX-1".
 */
#ifndef OCI_SIGNAL_H
#define OCI_SIGNAL_H

#include "base/err.h"

enum {
	SIGNAL_MAX = 64,
	/* As user programs count: the C library keeps 32 and 33 for itself. */
	SIGNAL_RTMIN = 34,
	SIGNAL_RTMAX = SIGNAL_MAX,
};

/* The number, 0 (a test whether it lives) to SIGNAL_MAX; -1 with *err (FAULT_USAGE). */
int signal_parse(const char *text, struct oci_err *err);

#endif
