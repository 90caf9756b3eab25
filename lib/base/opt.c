#include "base/opt.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/num.h"
#include "base/own.h"

bool opt_wants_help;

/* One pass over argv. */
struct parse {
	const struct command *command;
	const struct opt *global;
	int argc, next;
	char **argv;
};

char *opt_absolute(const char *path, struct oci_err *err)
{
	own_ptr char *cwd = NULL;
	char *absolute = NULL;

	if (path[0] == '/') {
		absolute = strdup(path);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd) {
			err_sys(err, errno, "cannot tell the working directory");
			return NULL;
		}
		if (asprintf(&absolute, "%s/%s", cwd[1] ? cwd : "", path) < 0)
			absolute = NULL;
	}
	if (!absolute)
		err_sys(err, ENOMEM, "cannot keep the path \"%s\"", path);
	return absolute;
}

static const struct opt *find_in(const struct opt *table, const char *name, size_t len)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct opt *find_long(const struct parse *p, const char *name, size_t len)
{
	const struct opt *o = find_in(p->command->options, name, len);

	return o ? o : find_in(p->global, name, len);
}

static const struct opt *find_letter(const struct parse *p, char letter)
{
	const struct opt *tables[] = {p->command->options, p->global};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct opt *o = tables[i]; o && o->name; o++)
			if (o->letter && o->letter == letter)
				return o;
	return NULL;
}

static int add_string(struct opt_list *list, const char *value, struct oci_err *err)
{
	const char **items = reallocarray(list->items, list->n + 1, sizeof *items);

	if (!items)
		return err_sys(err, ENOMEM, "cannot keep the options");
	items[list->n++] = value;
	list->items = items;
	return 0;
}

static int set_number(const struct opt *o, const char *value, struct oci_err *err)
{
	uint64_t max = o->type == OPT_FD ? INT_MAX : UINT_MAX, number;

	if (!num_uint(value, 0, max, &number))
		return err_set(err, FAULT_USAGE,
			       "option \"--%s\" needs a number from 0 to %ju, not \"%s\"", o->name,
			       (uintmax_t)max, value);
	if (o->type == OPT_FD)
		*(int *)o->target = (int)number;
	else
		*(unsigned *)o->target = (unsigned)number;
	return 0;
}

static int set_flag(const struct opt *o, const char *value, struct oci_err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"true", true}, {"1", true}, {"false", false}, {"0", false}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (value && strcmp(value, words[i].word) != 0)
			continue;
		*(bool *)o->target = words[i].value;
		return 0;
	}
	return err_set(err, FAULT_USAGE, "option \"--%s\" takes no value other than true or false",
		       o->name);
}

static int set(const struct opt *o, const char *value, struct oci_err *err)
{
	switch (o->type) {
	case OPT_FLAG:
		return set_flag(o, value, err);
	case OPT_STRING:
		*(const char **)o->target = value;
		return 0;
	case OPT_STRINGS:
		return add_string(o->target, value, err);
	case OPT_UINT:
	case OPT_FD:
		return set_number(o, value, err);
	case OPT_PATH:
		if (strcmp(value, "-") != 0) {
			value = opt_absolute(value, err);
			if (!value)
				return -1;
		}
		*(const char **)o->target = value;
		return 0;
	}
	return -1;
}

static void nearest_in(const struct opt *table, const char *name, int *best, const char **ret_name)
{
	for (const struct opt *o = table; o && o->name; o++) {
		int distance = o->help ? nearest_distance(name, o->name) : -1;

		if (distance < 0 || (*best >= 0 && distance >= *best))
			continue;
		*best = distance;
		*ret_name = o->name;
	}
}

/* arg: as it was written; len: of it without "=value"; name: without dashes. */
static int unknown(const struct parse *p, const char *arg, size_t len, const char *name,
		   struct oci_err *err)
{
	own_ptr char *word = strndup(name, len - (size_t)(name - arg));
	const char *near = NULL;
	int best = -1;

	if (word) {
		nearest_in(p->command->options, word, &best, &near);
		nearest_in(p->global, word, &best, &near);
	}
	if (near)
		return err_set(err, FAULT_USAGE, "unknown option \"%.*s\" (did you mean \"--%s\"?)",
			       (int)len, arg, near);
	err_set(err, FAULT_USAGE, "unknown option \"%.*s\"", (int)len, arg);
	return err_hint(err, "%s --help lists the options", p->command->name);
}

/* value: what follows "=" or a letter in the same argument, or NULL. */
static int take(struct parse *p, const struct opt *o, const char *value, struct oci_err *err)
{
	if (o->type != OPT_FLAG && !value) {
		if (p->next >= p->argc)
			return err_set(err, FAULT_USAGE, "option \"--%s\" needs a value: %s",
				       o->name, o->value ? o->value : "VALUE");
		value = p->argv[p->next++];
	}
	return set(o, value, err);
}

static int take_long(struct parse *p, const char *arg, const char *name, struct oci_err *err)
{
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct opt *o = find_long(p, name, len);

	if (o)
		return take(p, o, value, err);
	if (len == strlen("help") && memcmp(name, "help", len) == 0) {
		opt_wants_help = true;
		return 0;
	}
	return unknown(p, arg, (size_t)(name - arg) + len, name, err);
}

static int take_letters(struct parse *p, const char *arg, struct oci_err *err)
{
	for (const char *c = arg + 1; *c; c++) {
		const struct opt *o = find_letter(p, *c);

		if (!o && *c == 'h') {
			opt_wants_help = true;
			continue;
		}
		if (!o)
			return unknown(p, arg, strlen(arg), arg + 1, err);
		if (o->type != OPT_FLAG)
			return take(p, o, c[1] ? c + 1 + (c[1] == '=') : NULL, err);
		if (set(o, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static int take_option(struct parse *p, const char *arg, struct oci_err *err)
{
	if (arg[1] == '-')
		return take_long(p, arg, arg + 2, err);
	/* "-bundle" is --bundle, unless it is no long name: then -b with the value "undle". */
	if (arg[2] && find_long(p, arg + 1, strcspn(arg + 1, "=")))
		return take_long(p, arg, arg + 1, err);
	return take_letters(p, arg, err);
}

static int check_count(const struct command *command, int n, struct oci_err *err)
{
	const char *what = n < command->min_operands ? "too few arguments" : NULL;

	if (command->max_operands >= 0 && n > command->max_operands)
		what = "too many arguments";
	if (!what)
		return 0;
	err_set(err, FAULT_USAGE, "%s: usage: %s [OPTIONS]%s%s", what, command->name,
		command->operands ? " " : "", command->operands ? command->operands : "");
	return err_hint(err, "%s --help says more", command->name);
}

int opt_parse(const struct command *command, const struct opt *global, int argc, char **argv,
	      int *ret_argc, char ***ret_argv, struct oci_err *err)
{
	struct parse p = {.command = command, .global = global, .argc = argc, .argv = argv};
	int n = 0;

	opt_wants_help = false;
	p.next = 1;
	while (p.next < argc && !opt_wants_help) {
		char *arg = argv[p.next++];

		if (strcmp(arg, "--") == 0)
			break;
		if (arg[0] == '-' && arg[1]) {
			if (take_option(&p, arg, err) < 0)
				return -1;
			continue;
		}
		argv[1 + n++] = arg;
		if (command->stop_at_operand)
			break;
	}
	while (p.next < argc)
		argv[1 + n++] = argv[p.next++];
	*ret_argc = n;
	*ret_argv = argv + 1;
	argv[1 + n] = NULL;
	return opt_wants_help ? 0 : check_count(command, n, err);
}

static int left_width(const struct opt *table)
{
	int width = 0;

	for (const struct opt *o = table; o && o->name; o++) {
		int w = (int)strlen(o->name) + (o->value ? (int)strlen(o->value) + 1 : 0);

		if (o->help && w > width)
			width = w;
	}
	return width;
}

static void print_table(const struct opt *table, int width, FILE *out)
{
	for (const struct opt *o = table; o && o->name; o++) {
		int w;

		if (!o->help)
			continue;
		if (o->letter)
			fprintf(out, "  -%c, ", o->letter);
		else
			fputs("      ", out);
		w = fprintf(out, "--%s%s%s", o->name, o->value ? " " : "",
			    o->value ? o->value : "");
		fprintf(out, "%*s  %s\n", width + 2 - w, "", o->help);
	}
}

static const struct opt help_options[] = {
	{'h', "help", NULL, OPT_FLAG, NULL, "print this and exit"},
	OPT_END,
};

static void dump_table(const char *kind, const struct opt *table, FILE *out)
{
	for (const struct opt *o = table; o && o->name; o++)
		if (o->help)
			fprintf(out, "%s\t%c\t%s\t%s\t%s\n", kind, o->letter ? o->letter : '-',
				o->name, o->value ? o->value : "-", o->help);
}

void opt_dump(const struct command *command, const struct opt *global, FILE *out)
{
	fprintf(out, "command\t%s\t%s\t%s\n", command->name,
		command->operands ? command->operands : "-", command->purpose);
	dump_table("option", command->options, out);
	dump_table("global", global, out);
	dump_table("global", help_options, out);
}

void opt_help(const struct command *command, const struct opt *global, FILE *out)
{
	int width = left_width(command->options), global_width = left_width(global);

	if (global_width > width)
		width = global_width;
	fprintf(out, "Usage: %s [OPTIONS]%s%s\n\n%c%s%s\n", command->name,
		command->operands ? " " : "", command->operands ? command->operands : "",
		toupper((unsigned char)command->purpose[0]), command->purpose + 1,
		command->purpose[strlen(command->purpose) - 1] == '.' ? "" : ".");
	if (command->details)
		fprintf(out, "%s\n", command->details);
	if (command->options && command->options[0].name) {
		fputs("\nOptions:\n", out);
		print_table(command->options, width, out);
	}
	fputs("\nGlobal options:\n", out);
	print_table(global, width, out);
	print_table(help_options, width, out);
	if (command->example)
		fprintf(out, "\nExample:\n  %s\n", command->example);
}
