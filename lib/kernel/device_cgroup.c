#include "kernel/device_cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

enum {
	R = BPF_DEVCG_ACC_READ,
	W = BPF_DEVCG_ACC_WRITE,
	M = BPF_DEVCG_ACC_MKNOD,
};

/* admin-guide/devices.rst; the same list as runc's. */
static const struct device_rule defaults[] = {
	{true, 'c', DEVICE_ANY, DEVICE_ANY, M},
	{true, 'b', DEVICE_ANY, DEVICE_ANY, M},
	{true, 'c', 1, 3, R | W | M},		 /* null */
	{true, 'c', 1, 5, R | W | M},		 /* zero */
	{true, 'c', 1, 7, R | W | M},		 /* full */
	{true, 'c', 1, 8, R | W | M},		 /* random */
	{true, 'c', 1, 9, R | W | M},		 /* urandom */
	{true, 'c', 5, 0, R | W | M},		 /* tty */
	{true, 'c', 5, 2, R | W | M},		 /* ptmx */
	{true, 'c', 136, DEVICE_ANY, R | W | M}, /* pts/N, which /dev/console is one of */
};

static bool about_all(const struct device_rule *r)
{
	return r->type == 'a' && r->major == DEVICE_ANY && r->minor == DEVICE_ANY &&
	       r->access == DEVICE_ACCESS_ALL;
}

static void append(struct device_rules *rules, const struct device_rule *r)
{
	/* Nothing before a rule about everything can matter. */
	if (about_all(r))
		rules->n = 0;
	rules->items[rules->n++] = *r;
}

static unsigned parse_access(const char *text)
{
	return (strchr(text, 'r') ? R : 0) | (strchr(text, 'w') ? W : 0) |
	       (strchr(text, 'm') ? M : 0);
}

static struct device_rule parse_rule(const struct json_object *json)
{
	const char *type = json_string(json, "type"), *access = json_string(json, "access");

	return (struct device_rule){
		.allow = json_true(json, "allow"),
		.type = type && *type ? *type : 'a',
		.major = json_int(json, "major", DEVICE_ANY),
		.minor = json_int(json, "minor", DEVICE_ANY),
		.access = access && *access ? parse_access(access) : DEVICE_ACCESS_ALL,
	};
}

int device_rules_make(const struct json_object *resources, struct device_rules *ret_rules,
		      struct oci_err *err)
{
	static const struct device_rule deny_all = {false, 'a', DEVICE_ANY, DEVICE_ANY,
						    DEVICE_ACCESS_ALL};
	const struct json_object *list = json_member(resources, "devices");
	size_t n = json_length(list);
	struct device_rules rules = {0};

	rules.items = calloc(1 + n + ARRAY_SIZE(defaults), sizeof *rules.items);
	if (!rules.items)
		return err_sys(err, ENOMEM, "cannot plan the device rules");
	append(&rules, &deny_all);
	for (size_t i = 0; i < n; i++) {
		struct device_rule r = parse_rule(json_item(list, i));

		append(&rules, &r);
	}
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		append(&rules, &defaults[i]);
	*ret_rules = rules;
	return 0;
}

static bool same_rule(const struct device_rule *a, const struct device_rule *b)
{
	return a->allow == b->allow && a->type == b->type && a->major == b->major &&
	       a->minor == b->minor && a->access == b->access;
}

bool device_rules_same(const struct device_rules *a, const struct device_rules *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_rule(&a->items[i], &b->items[i]))
			return false;
	return true;
}

bool device_rules_allow_all(const struct device_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!rules->items[i].allow)
			return false;
	return true;
}

static bool covers(const struct device_rule *a, const struct device_rule *b)
{
	return (a->type == 'a' || a->type == b->type) &&
	       (a->major == DEVICE_ANY || a->major == b->major) &&
	       (a->minor == DEVICE_ANY || a->minor == b->minor);
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
	return (a->type == 'a' || b->type == 'a' || a->type == b->type) &&
	       (a->major == DEVICE_ANY || b->major == DEVICE_ANY || a->major == b->major) &&
	       (a->minor == DEVICE_ANY || b->minor == DEVICE_ANY || a->minor == b->minor);
}

/* Takes the exceptions away that rule, which is as the default, withdraws. */
static int withdraw(struct device_rules *list, const struct device_rule *rule, struct oci_err *err)
{
	size_t kept = 1;

	for (size_t i = 1; i < list->n; i++) {
		struct device_rule e = list->items[i];

		if (covers(rule, &e)) {
			e.access &= ~rule->access;
		} else if (overlaps(rule, &e) && (e.access & rule->access)) {
			err_set(err, FAULT_UNSUPPORTED,
				"cgroup v1 cannot %s a device that an earlier rule for more "
				"devices %s",
				rule->allow ? "allow" : "deny", rule->allow ? "denies" : "allows");
			return err_at(err, "/linux/resources/devices");
		}
		if (e.access)
			list->items[kept++] = e;
	}
	list->n = kept;
	return 0;
}

/* type is 'b' or 'c', except in the first rule. */
static int add_exception(struct device_rules *list, const struct device_rule *rule,
			 struct oci_err *err)
{
	if (rule->allow == list->items[0].allow)
		return withdraw(list, rule, err);
	for (size_t i = 1; i < list->n; i++) {
		struct device_rule *e = &list->items[i];

		if (covers(rule, e) && covers(e, rule)) {
			e->access |= rule->access;
			return 0;
		}
	}
	list->items[list->n++] = *rule;
	return 0;
}

int device_rules_for_v1(const struct device_rules *rules, struct device_rules *ret_rules,
			struct oci_err *err)
{
	struct device_rules list = {.n = 1};
	own_ptr struct device_rule *items = calloc(2 * rules->n, sizeof *items);

	if (!items)
		return err_sys(err, ENOMEM, "cannot plan the device rules");
	list.items = items;
	items[0] = rules->items[0];
	for (size_t i = 1; i < rules->n; i++) {
		struct device_rule r = rules->items[i];
		const char *types = r.type == 'a' ? "bc" : r.type == 'b' ? "b" : "c";

		/* "a" with a number or with less than all access would be taken for everything. */
		for (; *types; types++) {
			r.type = *types;
			if (add_exception(&list, &r, err) < 0)
				return -1;
		}
	}
	list.items = steal_ptr(&items);
	*ret_rules = list;
	return 0;
}
