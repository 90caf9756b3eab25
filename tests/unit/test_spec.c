#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "oci/spec.h"

static void test_table_is_a_tree(void **state)
{
	(void)state;
	assert_string_equal(spec_rows[0].pointer, "");
	for (size_t i = 1; i < spec_n_rows; i++) {
		const struct spec_row *row = &spec_rows[i], *at = &spec_rows[0];
		own_ptr char *path = strdup(row->pointer + 1);
		char *rest = path;

		for (char *key = strsep(&rest, "/"); key; key = strsep(&rest, "/")) {
			at = strcmp(key, "*") == 0 ? spec_item(at) : spec_member(at, key);
			if (!at)
				fail_msg("%s: \"%s\" is not found", row->pointer, key);
		}
		if (at != row)
			fail_msg("%s is there twice", row->pointer);
		if (strcmp(spec_key(row), "*") == 0 && !row->required)
			fail_msg("%s: an item that is null is no item", row->pointer);
		if ((row->type == SPEC_ARRAY || row->type == SPEC_MAP) &&
		    (!spec_item(row) || strcmp(spec_key(spec_item(row)), "*") != 0))
			fail_msg("%s: of what?", row->pointer);
		if (row->type >= SPEC_STRING && spec_first(row))
			fail_msg("%s has children", row->pointer);
		assert_true(row->stage || row->ignored || strstr(row->pointer, "/linux/"));
	}
}

static void test_words(void **state)
{
	(void)state;
	assert_non_null(spec_words("capabilities"));
	assert_string_equal(spec_words("namespaces")[0], "mount");
	assert_null(spec_words("x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_a_tree),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
