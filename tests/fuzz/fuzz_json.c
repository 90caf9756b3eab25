/*
 * base/json.h: any bytes. What is accepted survives being written and read
 * again; what our check accepts, json-c does too; places are found in any text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_check.h"
#include "base/own.h"
#include "base/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void check_places(const char *text, size_t len)
{
	static const char *const pointers[] = {"", "/a", "/0", "/a/b/0", "/0/0", "/~0~1", "/"};

	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++) {
		struct place_pair pair = place_find(text, len, pointers[i]);

		require(pair.value.offset <= len, "a place is in the text");
		free(place_show(text, len, &pair.value, "note"));
	}
}

static void check_round_trip(struct json_object *value)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *first = strdup(json_object_to_json_string(value));
	own_json struct json_object *again = json_parse(first, strlen(first), "again", &err);

	require(again, "what is written can be read");
	require(strcmp(first, json_object_to_json_string(again)) == 0, "and is the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	own_err struct oci_err err = ERR_INIT;
	const char *text = (const char *)data;
	own_json struct json_object *value = json_parse(text, size, "fuzz", &err);
	struct json_check check;
	bool accepted = json_check(text, size, &check);

	require(check.offset <= size, "the error is in the text");
	require(accepted || !value, "the check decides");
	if (accepted && !value)
		require(strstr(err.message, "twice") || strstr(err.message, "null"),
			"json-c takes what the check takes");
	if (!value)
		require(err.fault == FAULT_CONFIG && err.message, "there is an error");
	check_places(text, size);
	if (value)
		check_round_trip(value);
	return 0;
}
