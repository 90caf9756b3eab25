/* How comparisons are noted, and what every area reads. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "base/sys.h"
#include "verify/area.h"

enum { PROC_FILE_MAX = 64 << 20, SHOWN_MAX = 1024 };

static void add_text(struct json_object *o, const char *key, const char *text)
{
	own_ptr char *escaped = err_escape(text, SHOWN_MAX);

	json_object_object_add(o, key, json_object_new_string(escaped ? escaped : ""));
}

void verify_compared(struct verify *v)
{
	v->report->compared++;
}

void verify_differs(struct verify *v, const char *pointer, const char *where, const char *wanted,
		    const char *found)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "pointer", pointer);
	add_text(o, "wanted", wanted);
	add_text(o, "found", found);
	add_text(o, "where", where);
	json_object_array_add(v->report->differences, o);
}

void verify_text(struct verify *v, const char *pointer, const char *where, const char *wanted,
		 const char *found)
{
	verify_compared(v);
	if (!found)
		verify_differs(v, pointer, where, wanted, "nothing that can be read");
	else if (strcmp(wanted, found) != 0)
		verify_differs(v, pointer, where, wanted, found);
}

void verify_number(struct verify *v, const char *pointer, const char *where, int64_t wanted,
		   int64_t found)
{
	char want[24], got[24];

	snprintf(want, sizeof want, "%" PRId64, wanted);
	snprintf(got, sizeof got, "%" PRId64, found);
	verify_text(v, pointer, where, want, got);
}

void verify_bool(struct verify *v, const char *pointer, const char *where, bool wanted, bool found)
{
	verify_text(v, pointer, where, wanted ? "true" : "false", found ? "true" : "false");
}

void verify_hidden(struct verify *v, const char *pointer, const char *fmt, ...)
{
	const size_t n = json_length(v->report->hidden);
	struct json_object *o;
	char reason[512];
	va_list args;

	/* Pointers come in runs: the last few are enough to look at. */
	for (size_t i = n; i > 0 && i + 16 > n; i--)
		if (strcmp(json_string(json_item(v->report->hidden, i - 1), "pointer"), pointer) ==
		    0)
			return;
	va_start(args, fmt);
	vsnprintf(reason, sizeof reason, fmt, args);
	va_end(args);
	o = json_object_new_object();
	add_text(o, "pointer", pointer);
	add_text(o, "reason", reason);
	json_object_array_add(v->report->hidden, o);
}

struct verify_pointer verify_at(const char *fmt, ...)
{
	struct verify_pointer p;
	va_list args;

	va_start(args, fmt);
	vsnprintf(p.text, sizeof p.text, fmt, args);
	va_end(args);
	return p;
}

void verify_place(const struct verify *v, const char *file, char text[64])
{
	snprintf(text, 64, "/proc/%d/%s", (int)v->pid, file);
}

char *verify_read(const struct verify *v, const char *file, size_t *ret_len)
{
	own_fd int fd = sys_openat2(v->proc, file, O_RDONLY | O_CLOEXEC, 0,
				    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	char *text = NULL;
	size_t len = 0;

	if (fd < 0 || fd_read_all(fd, PROC_FILE_MAX, &text, &len) < 0)
		return NULL;
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (ret_len)
		*ret_len = len;
	return text;
}

bool verify_status(const struct verify *v, const char *name, char *buf, size_t size)
{
	const size_t len = strlen(name);

	for (const char *line = v->status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			const char *value = line + len + 1;
			size_t n;

			value += strspn(value, " \t");
			n = strcspn(value, "\n");
			while (n > 0 && value[n - 1] == ' ')
				n--;
			if (n >= size)
				return false;
			memcpy(buf, value, n);
			buf[n] = '\0';
			return true;
		}
	}
	return false;
}

bool verify_outer_id(const struct verify *v, const char *map, uint32_t id, uint32_t *ret_id)
{
	own_ptr char *text = verify_read(v, map, NULL);
	uint32_t inside, outside, size;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &size) != 3)
			return false;
		if (id >= inside && id - inside < size) {
			*ret_id = outside + (id - inside);
			return true;
		}
	}
	return false;
}

void verify_report_clear(struct verify_report *report)
{
	json_object_put(report->differences);
	json_object_put(report->hidden);
	*report = (struct verify_report){0};
}
