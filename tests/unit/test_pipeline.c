/* The pipeline format: what it means, and what is said of a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "stage/pipeline.h"

#define HEAD "validate\nseccomp\ncgroup\nnsenter-setup\nprepare-root\nmount\n"
#define HOOKS "hook prestart createRuntime\nhook createContainer\n"

static void stock(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	own_pipeline struct pipeline *p =
		pipeline_parse("# comment\n\n" HEAD "\t" HOOKS "pivot # the end", "p", &err);

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->n, n_stages);
	for (size_t i = 0; i < p->n; i++) {
		assert_ptr_equal(p->steps[i].stage, &stages[i]);
		assert_string_equal(p->steps[i].name, stages[i].name);
	}
	assert_int_equal(p->steps[0].line, 3);
	assert_int_equal(p->steps[9].line, 11);
}

static void exec_lines(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	own_pipeline struct pipeline *p = pipeline_parse(
		HEAD "exec /bin/step --flag \"two  words\" 'a \"b\" #c' x\"y z\"\n" HOOKS
		     "exec /bin/other\npivot\nexec /bin/last",
		"p", &err);
	char **argv;

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->n, n_stages + 3);
	assert_null(p->steps[6].stage);
	argv = p->steps[6].argv;
	assert_string_equal(argv[0], "/bin/step");
	assert_string_equal(argv[1], "--flag");
	assert_string_equal(argv[2], "two  words");
	assert_string_equal(argv[3], "a \"b\" #c");
	assert_string_equal(argv[4], "xy z");
	assert_null(argv[5]);
	assert_string_equal(p->steps[10].name, "exec /bin/other");
	assert_int_equal(p->steps[6].line, 7);
}

static void wrong(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "p: the stage \"validate\" is missing"},
		{"validate\ncgruop\n", "p:2: unknown stage \"cgruop\" (did you mean \"cgroup\"?)"},
		{"validate\nexe /bin/x\n", "p:2: unknown stage \"exe\" (did you mean \"exec\"?)"},
		{"validate\nquite-different\n", "p:2: unknown stage \"quite-different\""},
		{HEAD "hook createruntim", "p:7: unknown hook \"createruntim\" (did you mean "
					   "\"createRuntime\"?)"},
		{HEAD "hook", "p:7: \"hook\" needs the names of hooks: prestart, createRuntime, "
			      "createContainer"},
		{HEAD HOOKS, "p: the stage \"pivot\" is missing"},
		{HEAD "pivot\n", "p:7: \"hook prestart\" must come before \"pivot\""},
		{"validate\nnsenter-setup\n",
		 "p:2: \"seccomp\" must come before \"nsenter-setup\""},
		{"validate\nseccomp\nnsenter-setup\n",
		 "p:3: \"cgroup\" must come before \"nsenter-setup\""},
		{"validate\nvalidate\n", "p:2: \"validate\" was there before"},
		{HEAD "cgroup\n", "p:7: \"cgroup\" was there before"},
		{"exec /bin/x\nvalidate\n", "p:1: \"validate\" must come before \"exec /bin/x\""},
		{HEAD "exec\n", "p:7: \"exec\" needs a program"},
		{HEAD "exec step\n", "p:7: the program \"step\" is not an absolute path"},
		{HEAD "exec /x 'open\n", "p:7: a quote is not closed"},
		{"validate now\n",
		 "p:1: the stage \"validate\" takes nothing, but here is \"now\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		own_err struct oci_err err = ERR_INIT;
		own_pipeline struct pipeline *p = pipeline_parse(cases[i].text, "p", &err);

		assert_null(p);
		assert_string_equal(err.message, cases[i].message);
		assert_int_equal(err.fault, FAULT_USAGE);
	}
}

static void too_much(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs(HEAD, out);
	for (int i = 0; i < PIPELINE_STEPS_MAX; i++)
		fputs("exec /x\n", out);
	fclose(out);
	assert_null(pipeline_parse(text, "p", &err));
	assert_string_equal(err.message, "p:257: more than 256 steps");
	free(text);
	text = NULL;
	out = open_memstream(&text, &size);
	fputs("exec /x", out);
	for (int i = 0; i < 200; i++)
		fputs(" a", out);
	fclose(out);
	assert_null(pipeline_parse(text, "p", &err));
	assert_string_equal(err.message, "p:1: more than 128 words");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stock),
		cmocka_unit_test(exec_lines),
		cmocka_unit_test(wrong),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
