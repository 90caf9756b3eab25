#include "oci/signal.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "base/num.h"
#include "base/own.h"

static const char *const names[] = {
	"HUP",	"INT",	"QUIT", "ILL",	  "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
	"USR2", "PIPE", "ALRM", "TERM",	  "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
	"URG",	"XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",  NULL,
};

static const struct {
	const char *name;
	int number;
} aliases[] = {{"IOT", 6}, {"CLD", 17}, {"POLL", 29}, {"UNUSED", 31}};

static int real_time(const char *name)
{
	uint64_t offset = 0;

	if (strncasecmp(name, "RTMIN", 5) == 0 &&
	    (!name[5] ||
	     (name[5] == '+' && num_uint(name + 6, 0, SIGNAL_RTMAX - SIGNAL_RTMIN, &offset))))
		return SIGNAL_RTMIN + (int)offset;
	if (strncasecmp(name, "RTMAX", 5) == 0 &&
	    (!name[5] ||
	     (name[5] == '-' && num_uint(name + 6, 0, SIGNAL_RTMAX - SIGNAL_RTMIN, &offset))))
		return SIGNAL_RTMAX - (int)offset;
	return -1;
}

int signal_parse(const char *text, struct oci_err *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text, *near;
	uint64_t number;
	int result;

	if (num_uint(text, 0, SIGNAL_MAX, &number))
		return (int)number;
	for (int i = 0; names[i]; i++)
		if (strcasecmp(name, names[i]) == 0)
			return i + 1;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcasecmp(name, aliases[i].name) == 0)
			return aliases[i].number;
	result = real_time(name);
	if (result >= 0)
		return result;
	err_set(err, FAULT_USAGE, "unknown signal \"%s\"", text);
	near = nearest(name, names);
	if (near)
		err_hint(err, "did you mean \"%s\"?", near);
	return -1;
}
