/* The option parser: every way to write an option, and what is said of a wrong one. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/opt.h"
#include "base/own.h"

static bool force, quiet, debug;
static const char *bundle, *root;
static unsigned count;
static int fd;
static struct opt_list envs;

static const struct opt options[] = {
	{'f', "force", NULL, OPT_FLAG, &force, "force it"},
	{'q', "quiet", NULL, OPT_FLAG, &quiet, "say nothing"},
	{'b', "bundle", "DIR", OPT_STRING, &bundle, "the bundle"},
	{'n', "count", "N", OPT_UINT, &count, "how many"},
	{0, "fd", "FD", OPT_FD, &fd, NULL},
	{'e', "env", "NAME=VALUE", OPT_STRINGS, &envs, "add to the environment"},
	OPT_END,
};

static const struct opt global[] = {
	{0, "root", "DIR", OPT_PATH, &root, "the root"},
	{0, "debug", NULL, OPT_FLAG, &debug, "say more"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-test",
	.operands = "ID [BUNDLE]",
	.purpose = "test",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
};

static const struct command stopping = {
	.name = "oci-stop",
	.operands = "ID [COMMAND]",
	.purpose = "test",
	.min_operands = 1,
	.max_operands = -1,
	.stop_at_operand = true,
	.options = options,
};

enum { MAX = 8 };

struct line {
	char *argv[MAX + 2], store[MAX + 1][32];
	int argc;
	char **operands;
	int n;
	struct oci_err err;
};

static int setup(void **state)
{
	(void)state;
	force = quiet = debug = false;
	bundle = root = NULL;
	count = 0;
	fd = -1;
	free(envs.items);
	envs = (struct opt_list){0};
	return 0;
}

static int parse(struct line *l, const struct command *c, const char *first, ...)
{
	va_list args;

	*l = (struct line){0};
	l->argv[l->argc] = strcpy(l->store[l->argc], "program");
	l->argc++;
	va_start(args, first);
	for (const char *a = first; a && l->argc <= MAX; a = va_arg(args, const char *)) {
		l->argv[l->argc] = strcpy(l->store[l->argc], a);
		l->argc++;
	}
	va_end(args);
	return opt_parse(c, global, l->argc, l->argv, &l->n, &l->operands, &l->err);
}

/* A path that was made absolute is kept for the life of a program: so it is here. */
static const char *kept[64];
static unsigned n_kept;

static void drop(struct line *l)
{
	assert_true(n_kept < sizeof kept / sizeof *kept);
	kept[n_kept++] = root;
	err_clear(&l->err);
}

static void accept_all_forms(void **state)
{
	static const char *const forms[][2] = {
		{"--bundle", "web"}, {"--bundle=web", NULL}, {"-b", "web"},    {"-bweb", NULL},
		{"-bundle", "web"},  {"-bundle=web", NULL},  {"-b=web", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct line l;
		int result;

		bundle = NULL;
		result = forms[i][1] ? parse(&l, &command, forms[i][0], forms[i][1], "x", NULL)
				     : parse(&l, &command, forms[i][0], "x", NULL);
		assert_int_equal(result, 0);
		assert_string_equal(bundle, "web");
		assert_int_equal(l.n, 1);
		assert_string_equal(l.operands[0], "x");
		assert_null(l.operands[1]);
		drop(&l);
	}
}

static void options_anywhere(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, &command, "--debug", "x", "-fq", "y", "--root", "/r", NULL), 0);
	assert_true(debug && force && quiet);
	assert_string_equal(root, "/r");
	assert_int_equal(l.n, 2);
	assert_string_equal(l.operands[0], "x");
	assert_string_equal(l.operands[1], "y");
	drop(&l);
}

static void dashes_end_options(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, &command, "--", "-f", "--bundle", NULL), 0);
	assert_false(force);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.operands[0], "-f");
	drop(&l);
}

static void a_single_dash_is_an_operand(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, &command, "-", NULL), 0);
	assert_int_equal(l.n, 1);
	drop(&l);
}

static void stop_at_operand(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, &stopping, "-f", "web", "ls", "-q", "--", NULL), 0);
	assert_true(force);
	assert_false(quiet);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.operands[2], "-q");
	assert_string_equal(l.operands[3], "--");
	drop(&l);
}

static void values(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, &command, "--count=7", "--fd", "5", "-ea=1", "--env", "b=2",
			       "--force=false", "x", NULL),
			 0);
	assert_int_equal(count, 7);
	assert_int_equal(fd, 5);
	assert_int_equal(envs.n, 2);
	assert_string_equal(envs.items[0], "a=1");
	assert_string_equal(envs.items[1], "b=2");
	assert_false(force);
	drop(&l);
}

static void an_empty_value_is_a_value(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, &command, "--bundle=", "x", NULL), 0);
	assert_string_equal(bundle, "");
	drop(&l);
}

static void paths_become_absolute(void **state)
{
	own_ptr char *cwd = getcwd(NULL, 0), *expected = NULL;
	struct line l;

	(void)state;
	assert_true(asprintf(&expected, "%s/some/dir", cwd[1] ? cwd : "") > 0);
	assert_int_equal(parse(&l, &command, "--root", "some/dir", "x", NULL), 0);
	assert_string_equal(root, expected);
	drop(&l);
}

static void refuse(const char *message, int result, struct line *l)
{
	assert_int_equal(result, -1);
	assert_int_equal(l->err.fault, FAULT_USAGE);
	assert_string_equal(l->err.message, message);
	drop(l);
}

static void wrong_options(void **state)
{
	struct line l;

	(void)state;
	refuse("unknown option \"--bundel\" (did you mean \"--bundle\"?)",
	       parse(&l, &command, "--bundel=x", "x", NULL), &l);
	refuse("unknown option \"--rooot\" (did you mean \"--root\"?)",
	       parse(&l, &command, "--rooot", "x", NULL), &l);
	refuse("unknown option \"--zzzzzz\"", parse(&l, &command, "--zzzzzz", "x", NULL), &l);
	refuse("unknown option \"-z\"", parse(&l, &command, "-z", "x", NULL), &l);
	refuse("unknown option \"-fz\"", parse(&l, &command, "-fz", "x", NULL), &l);
	refuse("option \"--bundle\" needs a value: DIR", parse(&l, &command, "x", "-b", NULL), &l);
	refuse("option \"--count\" needs a number from 0 to 4294967295, not \"-1\"",
	       parse(&l, &command, "--count=-1", "x", NULL), &l);
	refuse("option \"--count\" needs a number from 0 to 4294967295, not \"4294967296\"",
	       parse(&l, &command, "--count", "4294967296", "x", NULL), &l);
	refuse("option \"--fd\" needs a number from 0 to 2147483647, not \"\"",
	       parse(&l, &command, "--fd=", "x", NULL), &l);
	refuse("option \"--force\" takes no value other than true or false",
	       parse(&l, &command, "--force=yes", "x", NULL), &l);
}

static void wrong_counts(void **state)
{
	struct line l;

	(void)state;
	refuse("too few arguments: usage: oci-test [OPTIONS] ID [BUNDLE]",
	       parse(&l, &command, "-f", NULL), &l);
	refuse("too many arguments: usage: oci-test [OPTIONS] ID [BUNDLE]",
	       parse(&l, &command, "a", "b", "c", NULL), &l);
}

static void help_needs_no_operands(void **state)
{
	static const char *const forms[] = {"--help", "-h", "-help", "-fh"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct line l;

		assert_int_equal(parse(&l, &command, forms[i], NULL), 0);
		assert_true(opt_wants_help);
		drop(&l);
	}
}

static void help_text(void **state)
{
	own_ptr char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	opt_help(&command, global, out);
	fclose(out);
	assert_non_null(strstr(text, "Usage: oci-test [OPTIONS] ID [BUNDLE]\n\nTest.\n"));
	assert_non_null(strstr(text, "  -b, --bundle DIR"));
	assert_non_null(strstr(text, "      --root DIR"));
	assert_null(strstr(text, "--fd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(accept_all_forms, setup),
		cmocka_unit_test_setup(options_anywhere, setup),
		cmocka_unit_test_setup(dashes_end_options, setup),
		cmocka_unit_test_setup(a_single_dash_is_an_operand, setup),
		cmocka_unit_test_setup(stop_at_operand, setup),
		cmocka_unit_test_setup(values, setup),
		cmocka_unit_test_setup(an_empty_value_is_a_value, setup),
		cmocka_unit_test_setup(paths_become_absolute, setup),
		cmocka_unit_test_setup(wrong_options, setup),
		cmocka_unit_test_setup(wrong_counts, setup),
		cmocka_unit_test_setup(help_needs_no_operands, setup),
		cmocka_unit_test_setup(help_text, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
