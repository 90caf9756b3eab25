#include "kernel/cgroup_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/cgroup_convert.h"
#include "kernel/cgroup_limits.h"
#include "kernel/device_cgroup.h"

enum { PAGE = 4096, WORDS_MAX = 16 };

/* ---- Values ---------------------------------------------------------------------------------- */

/* "64K" of memory.*; "max" and v1's "-1" are UINT64_MAX. */
static bool parse_amount(const char *text, size_t len, uint64_t *ret_value)
{
	static const char suffixes[] = "kmgt";
	char copy[32], *end;
	const char *suffix;

	if (len == 0 || len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strcmp(copy, "max") == 0 || strcmp(copy, "-1") == 0) {
		*ret_value = UINT64_MAX;
		return true;
	}
	*ret_value = strtoull(copy, &end, 10);
	if (end == copy || copy[0] == '-')
		return false;
	suffix = *end ? strchr(suffixes, *end | 0x20) : NULL;
	if (suffix) {
		*ret_value <<= 10 * (unsigned)(suffix - suffixes + 1);
		end++;
	}
	return *end == '\0';
}

/* What the kernel rounds a value of this file to: 1 if it does not. */
static uint64_t granularity(const char *file)
{
	uint64_t size = PAGE;
	char unit = 0;

	if (strncmp(file, "memory.", 7) == 0)
		return PAGE;
	if (sscanf(file, "hugetlb.%" SCNu64 "%c", &size, &unit) == 2)
		return size << (unit == 'G' ? 30 : unit == 'M' ? 20 : 10);
	return 1;
}

static bool same_amount(const char *file, const char *wanted, size_t wanted_len, const char *found,
			size_t found_len)
{
	uint64_t want, got, grain = granularity(file);

	if (wanted_len == found_len && memcmp(wanted, found, found_len) == 0)
		return true;
	if (!parse_amount(wanted, wanted_len, &want) || !parse_amount(found, found_len, &got))
		return false;
	/* v1 says "no limit" with the largest number of whole pages. */
	if (want == UINT64_MAX)
		return got >= (uint64_t)INT64_MAX - (1 << 30);
	return got == want || (got == want - want % grain) ||
	       (grain == PAGE && want < INT64_MAX && got == (want + PAGE - 1) / PAGE * PAGE);
}

struct words {
	struct {
		const char *text;
		size_t len;
	} at[WORDS_MAX];
	size_t n;
};

/* The words of a line, and where the next one begins. */
static const char *split(const char *line, struct words *words)
{
	words->n = 0;
	while (*line && *line != '\n') {
		size_t blanks = strspn(line, " \t"), len;

		line += blanks;
		len = strcspn(line, " \t\n");
		if (len && words->n < WORDS_MAX) {
			words->at[words->n].text = line;
			words->at[words->n++].len = len;
		}
		line += len;
	}
	return *line ? line + 1 : line;
}

/* "rbps=1M": the same key, the same amount. */
static bool same_word(const char *file, const char *a, size_t a_len, const char *b, size_t b_len)
{
	const char *a_is = memchr(a, '=', a_len), *b_is = memchr(b, '=', b_len);

	if (!a_is || !b_is)
		return same_amount(file, a, a_len, b, b_len);
	if (a_is - a != b_is - b || memcmp(a, b, (size_t)(a_is - a)) != 0)
		return false;
	a_is++, b_is++;
	return same_amount(file, a_is, a_len - (size_t)(a_is - a), b_is,
			   b_len - (size_t)(b_is - b));
}

/* The words of the line that was written are in the line that is shown, in this order. */
static bool line_has(const char *file, const struct words *want, const struct words *found)
{
	size_t k = 0;

	for (size_t i = 0; i < want->n; i++, k++) {
		while (k < found->n && !same_word(file, want->at[i].text, want->at[i].len,
						  found->at[k].text, found->at[k].len))
			k++;
		if (k >= found->n)
			return false;
	}
	return true;
}

/* A limit that is taken away has no line any more. */
static bool takes_away(const struct words *want)
{
	const char *last;

	if (want->n < 2)
		return false;
	last = want->at[want->n - 1].text;
	return strcmp(last, "0") == 0 || strcmp(last, "max") == 0 ||
	       (strlen(last) > 4 && strcmp(last + strlen(last) - 4, "=max") == 0);
}

static bool is_shown(const char *file, const struct words *want, const char *found)
{
	bool listed = false;

	while (*found) {
		struct words line;

		found = split(found, &line);
		if (line.n == 0)
			continue;
		if (line_has(file, want, &line))
			return true;
		listed |= want->n > 1 && same_amount("", want->at[0].text, want->at[0].len,
						     line.at[0].text, line.at[0].len);
	}
	return !listed && takes_away(want);
}

bool cgroup_value_matches(const char *file, const char *wanted, const char *found)
{
	struct cgroup_set want, got;

	if (strncmp(file, "cpuset.", 7) == 0 && cgroup_parse_list(wanted, &want) &&
	    cgroup_parse_list(found, &got))
		return memcmp(&want, &got, sizeof want) == 0;
	if (strcmp(file, "memory.oom_control") == 0)
		return strncmp(found, "oom_kill_disable ", 17) == 0 &&
		       strncmp(found + 17, wanted, strlen(wanted)) == 0;
	while (*wanted) {
		struct words line;

		wanted = split(wanted, &line);
		if (line.n > 0 && !is_shown(file, &line, found))
			return false;
	}
	return true;
}

/* ---- Limits ---------------------------------------------------------------------------------- */

/* As cgroup_limits_apply() chooses. The directory, or -1: there is none to look into. */
static int open_for(struct cgroup_setting *s, const struct json_object *record,
		    struct cgroup_hierarchy *h)
{
	own_err struct oci_err err = ERR_INIT;
	char name[16];

	s->v2 = !(cgroup_controller(s, false, name) && cgroup_find_v1(record, name, h));
	if (s->v2 && !(cgroup_controller(s, true, name) && cgroup_find_v2(record, h)))
		return -1;
	return cgroup_open_leaf(h, &err);
}

static void compare_one(struct cgroup_setting *s, const struct json_object *record,
			cgroup_compare_fn compared, void *arg)
{
	own_err struct oci_err at = ERR_INIT, err = ERR_INIT;
	own_ptr char *found = NULL, *place = NULL;
	struct cgroup_hierarchy h;
	own_fd int dir = -1;

	err_set(&at, FAULT_CONFIG, "difference");
	cgroup_setting_at(s, &at);
	dir = open_for(s, record, &h);
	if (dir < 0) {
		compared(arg, at.pointer, CGROUP_MOUNT, json_object_to_json_string(s->value), NULL,
			 false);
		return;
	}
	s->dir = dir;
	/* A value that cannot be set now: what it should be is not known. Nothing to write: fine.
	 */
	if (cgroup_format(s, &err) < 0 || !s->text)
		return;
	if (cgroup_read(dir, s->file, &found) < 0 &&
	    (s->limit->flags & (LIMIT_OPTIONAL | LIMIT_DEFAULT_0)))
		return;
	if (asprintf(&place, "%s%s/%s", h.mount, h.path, s->file) < 0)
		place = NULL;
	else
		compared(arg, at.pointer, place, s->text, found,
			 found && cgroup_value_matches(s->file, s->text, found));
}

/*
 * Where cpu.idle is set the weight is what the kernel makes of that; since Linux 5.16 it takes a
 * limit of kernel memory and forgets it. Creation has said so.
 */
static bool is_overridden(const struct cgroup_setting *s)
{
	if (s->limit->property && strcmp(s->limit->property, "kernel") == 0)
		return true;
	return s->limit->property && strcmp(s->limit->property, "shares") == 0 &&
	       json_int(json_member(s->resources, "cpu"), "idle", 0) == 1;
}

int cgroup_compare_limits(const struct json_object *record, const struct json_object *resources,
			  cgroup_compare_fn compared, void *arg, struct oci_err *err)
{
	struct cgroup_settings settings = {0};

	if (cgroup_count(record) == 0)
		return 0;
	if (cgroup_collect(resources, PHASE_UPDATE, &settings, err) < 0)
		return -1;
	for (size_t i = 0; i < settings.n; i++)
		if (!is_overridden(&settings.items[i]))
			compare_one(&settings.items[i], record, compared, arg);
	cgroup_settings_free(&settings);
	return 0;
}

/* ---- Devices --------------------------------------------------------------------------------- */

static void format_rule(const struct device_rule *r, char text[80])
{
	char major[24] = "*", minor[24] = "*";

	if (r->major != DEVICE_ANY)
		snprintf(major, sizeof major, "%" PRId64, r->major);
	if (r->minor != DEVICE_ANY)
		snprintf(minor, sizeof minor, "%" PRId64, r->minor);
	snprintf(text, 80, "%c %s:%s %s%s%s", r->type, major, minor,
		 r->access & BPF_DEVCG_ACC_READ ? "r" : "",
		 r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
		 r->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

/* What devices.list should say, a line for each device that is allowed. */
static char *list_of(const struct device_rules *rules)
{
	char *text = NULL, line[80];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool all = rules->n > 0 && rules->items[0].allow;

	if (!out)
		return NULL;
	/* The exceptions from "everything" are not shown. */
	if (all)
		fputs("a *:* rwm\n", out);
	for (size_t i = 1; !all && i < rules->n; i++) {
		format_rule(&rules->items[i], line);
		fprintf(out, "%s\n", line);
	}
	fclose(out);
	return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strcspn(text, "\n") == len && memcmp(text, line, len) == 0)
			return true;
	return false;
}

/* The lines of a that are not in b, in words. */
static char *lines_only_in(const char *a, const char *b)
{
	char *text = NULL;
	size_t size, len;
	FILE *out = open_memstream(&text, &size);

	for (; out && *a; a += len, a += *a == '\n') {
		len = strcspn(a, "\n");
		if (len && !has_line(b, a, len))
			fprintf(out, "%s%.*s", ftell(out) > 0 ? ", " : "", (int)len, a);
	}
	if (out)
		fclose(out);
	return text;
}

static int compare_v1(int dir, const struct cgroup_hierarchy *h, const struct device_rules *rules,
		      cgroup_compare_fn compared, void *arg, struct oci_err *err)
{
	own_ptr char *want = NULL, *found = NULL, *place = NULL, *missing = NULL, *more = NULL;
	own_ptr struct device_rule *items = NULL;
	struct device_rules list;

	if (device_rules_for_v1(rules, &list, err) < 0)
		return -1;
	items = list.items;
	want = list_of(&list);
	if (!want || asprintf(&place, "%s%s/devices.list", h->mount, h->path) < 0)
		return err_sys(err, ENOMEM, "cannot compare the devices");
	if (cgroup_read(dir, "devices.list", &found) < 0) {
		compared(arg, "/linux/resources/devices", place, "a list of devices", NULL, false);
		return 0;
	}
	missing = lines_only_in(want, found);
	more = lines_only_in(found, want);
	if (!missing || !more)
		return err_sys(err, ENOMEM, "cannot compare the devices");
	compared(arg, "/linux/resources/devices", place, *missing ? missing : "no more devices",
		 *more ? more : "less devices", !*missing && !*more);
	return 0;
}

int cgroup_compare_devices(const struct json_object *record, const struct json_object *resources,
			   cgroup_compare_fn compared, void *arg, struct oci_err *err)
{
	struct device_rules rules;
	own_ptr struct device_rule *items = NULL;
	own_ptr char *place = NULL;
	struct cgroup_hierarchy h;
	own_fd int dir = -1;
	bool same;

	if (cgroup_count(record) == 0)
		return 0;
	if (device_rules_make(resources, &rules, err) < 0)
		return -1;
	items = rules.items;
	if (!cgroup_find_v1(record, "devices", &h) && !cgroup_find_v2(record, &h))
		return 0;
	dir = cgroup_open_leaf(&h, err);
	if (dir < 0)
		return err->fault == FAULT_NONE ? 0 : -1;
	if (!h.v2)
		return compare_v1(dir, &h, &rules, compared, arg, err);
	if (device_rules_allow_all(&rules))
		return 0;
	if (asprintf(&place, "%s%s", h.mount, h.path) < 0)
		return err_sys(err, ENOMEM, "cannot compare the devices");
	if (device_cgroup_v2_has(dir, &rules, &same, err) < 0)
		return -1;
	compared(arg, "/linux/resources/devices", place, "the program of these rules",
		 "no such program", same);
	return 0;
}

/* ---- Places ---------------------------------------------------------------------------------- */

/* The path in the line of a hierarchy: "4:memory:/a/b", "0::/a/b". */
static bool find_place(const char *text, const struct cgroup_hierarchy *h, char *buf, size_t size)
{
	const char *name = strrchr(h->mount, '/') + 1;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *list = memchr(text, ':', strcspn(text, "\n"));
		const char *path = list ? memchr(list + 1, ':', strcspn(list + 1, "\n")) : NULL;
		size_t len = path ? (size_t)(path - list - 1) : 0;

		if (!path)
			continue;
		list++, path++;
		if (len > 5 && strncmp(list, "name=", 5) == 0)
			list += 5, len -= 5;
		if (h->v2 ? len != 0 : len != strlen(name) || strncmp(list, name, len) != 0)
			continue;
		snprintf(buf, size, "%.*s", (int)strcspn(path, "\n"), path);
		return true;
	}
	return false;
}

void cgroup_compare_places(const struct json_object *record, const char *text, const char *file,
			   cgroup_compare_fn compared, void *arg)
{
	for (size_t i = 0; i < cgroup_count(record); i++) {
		struct cgroup_hierarchy h = cgroup_at(record, i);
		const size_t len = strlen(h.path);
		char found[4200];
		bool known = find_place(text, &h, found, sizeof found);

		/* A hierarchy that /proc calls otherwise: nothing can be said. */
		if (!known)
			continue;
		compared(arg, "/linux/cgroupsPath", file, h.path, found,
			 strncmp(found, h.path, len) == 0 &&
				 (found[len] == '\0' || found[len] == '/'));
	}
}
