/* process.rlimits and process.oomScoreAdj. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/own.h"
#include "verify/area.h"

/* Not prlimit(2): to read another user's it takes CAP_SYS_RESOURCE. */
static const struct {
	const char *type, *line;
} lines[] = {
	{"RLIMIT_AS", "Max address space"},
	{"RLIMIT_CORE", "Max core file size"},
	{"RLIMIT_CPU", "Max cpu time"},
	{"RLIMIT_DATA", "Max data size"},
	{"RLIMIT_FSIZE", "Max file size"},
	{"RLIMIT_LOCKS", "Max file locks"},
	{"RLIMIT_MEMLOCK", "Max locked memory"},
	{"RLIMIT_MSGQUEUE", "Max msgqueue size"},
	{"RLIMIT_NICE", "Max nice priority"},
	{"RLIMIT_NOFILE", "Max open files"},
	{"RLIMIT_NPROC", "Max processes"},
	{"RLIMIT_RSS", "Max resident set"},
	{"RLIMIT_RTPRIO", "Max realtime priority"},
	{"RLIMIT_RTTIME", "Max realtime timeout"},
	{"RLIMIT_SIGPENDING", "Max pending signals"},
	{"RLIMIT_STACK", "Max stack size"},
};

static bool read_limit(const char *text, const char *type, char soft[24], char hard[24])
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *at =
			strcmp(lines[i].type, type) == 0 ? strstr(text, lines[i].line) : NULL;

		if (at)
			return sscanf(at + strlen(lines[i].line), " %23s %23s", soft, hard) == 2;
	}
	return false;
}

static void format(char text[24], uint64_t value)
{
	if (value == RLIM_INFINITY)
		strcpy(text, "unlimited");
	else
		snprintf(text, 24, "%" PRIu64, value);
}

static void compare_rlimits(struct verify *v)
{
	const struct json_object *list = json_member(v->process, "rlimits");
	own_ptr char *text = NULL;
	char place[64], want[24], soft[24], hard[24];

	if (json_length(list) == 0)
		return;
	text = verify_read(v, "limits", NULL);
	verify_place(v, "limits", place);
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *item = json_item(list, i);
		const char *type = json_string(item, "type");
		bool known = text && type && read_limit(text, type, soft, hard);

		format(want, json_uint(item, "soft", RLIM_INFINITY));
		verify_text(v, verify_at("/process/rlimits/%zu/soft", i).text, place, want,
			    known ? soft : NULL);
		format(want, json_uint(item, "hard", RLIM_INFINITY));
		verify_text(v, verify_at("/process/rlimits/%zu/hard", i).text, place, want,
			    known ? hard : NULL);
	}
}

int verify_limits(struct verify *v, struct oci_err *err)
{
	own_ptr char *adj = NULL;
	char place[64], want[24];

	(void)err;
	compare_rlimits(v);
	if (!json_has(v->process, "oomScoreAdj"))
		return 0;
	adj = verify_read(v, "oom_score_adj", NULL);
	verify_place(v, "oom_score_adj", place);
	snprintf(want, sizeof want, "%" PRId64, json_int(v->process, "oomScoreAdj", 0));
	verify_text(v, "/process/oomScoreAdj", place, want, adj);
	return 0;
}
