#include "kernel/caps.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"

enum { CAP_BITS = 64 };

static const struct set {
	const char *name;
	size_t offset;
} sets[] = {
	{"bounding", offsetof(struct caps, bounding)},
	{"permitted", offsetof(struct caps, permitted)},
	{"inheritable", offsetof(struct caps, inheritable)},
	{"effective", offsetof(struct caps, effective)},
	{"ambient", offsetof(struct caps, ambient)},
};

static uint64_t *set_of(struct caps *caps, const struct set *set)
{
	return (uint64_t *)((char *)caps + set->offset);
}

static uint64_t bit(int cap)
{
	return (uint64_t)1 << cap;
}

int caps_held(struct caps *ret_held, struct oci_err *err)
{
	struct caps held = {0};
	cap_t caps = cap_get_proc();

	if (!caps)
		return err_sys(err, errno, "cannot read our capabilities");
	for (int cap = 0; cap < CAP_BITS; cap++) {
		int in_bounding = prctl(PR_CAPBSET_READ, cap);
		cap_flag_value_t value = CAP_CLEAR;

		if (in_bounding < 0 && errno == EINVAL)
			break; /* the kernel knows no more */
		if (in_bounding < 0) {
			err_sys(err, errno, "cannot read our bounding set");
			cap_free(caps);
			return -1;
		}
		if (in_bounding)
			held.bounding |= bit(cap);
		if (cap_get_flag(caps, cap, CAP_PERMITTED, &value) == 0 && value == CAP_SET)
			held.permitted |= bit(cap);
	}
	cap_free(caps);
	*ret_held = held;
	return 0;
}

int caps_clear_inheritable(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	data[0].inheritable = data[1].inheritable = 0;
	return (int)syscall(SYS_capset, &header, data);
}

struct caps caps_all(void)
{
	const uint64_t all = (bit(cap_max_bits() - 1) << 1) - 1;

	return (struct caps){.bounding = all, .permitted = all};
}

static void warn(struct json_object *warnings, const char *text)
{
	if (warnings)
		json_object_array_add(warnings, json_object_new_string(text));
}

/* The names of the capabilities of a set; the caller frees it. */
static char *names_of(uint64_t set)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (int cap = 0; cap < CAP_BITS; cap++) {
		own_ptr char *upper = NULL;
		char *name;

		if (!(set & bit(cap)))
			continue;
		name = cap_to_name(cap);
		fputs(ftell(out) ? ", " : "", out);
		for (const char *c = name ? name : "?"; *c; c++)
			fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, out);
		cap_free(name);
	}
	fclose(out);
	return text;
}

/* Takes what is outside of "allowed" out of the set, and says so. */
static void restrict_to(uint64_t *set, uint64_t allowed, const char *name, const char *why,
			struct json_object *warnings)
{
	const uint64_t refused = *set & ~allowed;
	own_ptr char *names = NULL, *text = NULL;

	*set &= allowed;
	if (!refused || !warnings)
		return;
	names = names_of(refused);
	if (names &&
	    asprintf(&text, "/process/capabilities/%s: %s: %s, left out", name, names, why) >= 0)
		warn(warnings, text);
}

/* libcap also takes numbers, and stops at the first character that no name has. */
static bool parse_name(const char *name, int *ret_cap)
{
	cap_value_t value;

	if (strncmp(name, "CAP_", 4) != 0 ||
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ||
	    cap_from_name(name, &value) < 0 || value < 0 || value >= CAP_BITS)
		return false;
	*ret_cap = value;
	return true;
}

static uint64_t parse_set(const struct json_object *capabilities, const char *name,
			  struct json_object *warnings)
{
	const struct json_object *list = json_member(capabilities, name);
	const size_t n = json_length(list);
	uint64_t set = 0;

	for (size_t i = 0; i < n; i++) {
		const char *item = json_item_string(list, i);
		own_ptr char *text = NULL;
		int cap;

		if (parse_name(item, &cap))
			set |= bit(cap);
		else if (asprintf(&text,
				  "/process/capabilities/%s/%zu: unknown capability \"%s\", left "
				  "out",
				  name, i, item) >= 0)
			warn(warnings, text);
	}
	return set;
}

struct caps caps_parse(const struct json_object *capabilities, const struct caps *held,
		       struct json_object *warnings)
{
	static const char not_held[] = "not held by this process";
	struct caps caps = {0};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		*set_of(&caps, &sets[i]) = parse_set(capabilities, sets[i].name, warnings);
	restrict_to(&caps.bounding, held->bounding, "bounding", not_held, warnings);
	restrict_to(&caps.permitted, held->permitted, "permitted", not_held, warnings);
	restrict_to(&caps.effective, caps.permitted, "effective", "not permitted", warnings);
	restrict_to(&caps.inheritable, held->permitted, "inheritable", not_held, warnings);
	restrict_to(&caps.inheritable, caps.bounding, "inheritable", "not in the bounding set",
		    warnings);
	restrict_to(&caps.ambient, caps.permitted & caps.inheritable, "ambient",
		    "not both permitted and inheritable", warnings);
	return caps;
}
