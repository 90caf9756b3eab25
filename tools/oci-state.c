/* oci-state: print the state of a container. */
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "lifecycle/lifecycle.h"
#include "oci/state.h"
#include "tool.h"

static bool internal;

static const struct opt options[] = {
	{0, "internal", NULL, OPT_FLAG, &internal, "print the whole record, see oci-state.json(5)"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-state",
	.operands = "CONTAINER-ID",
	.purpose = "Print the state of a container as JSON.",
	.example = "oci-state web | jq -r .status",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

static struct json_object *record(const struct container *c, struct oci_err *err)
{
	own_ptr char *text = state_format(c->state);

	return json_parse(text, strlen(text), "state.json", err);
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	own_json struct json_object *state = NULL;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	c = tool_open(argv[0], LOCK_NONE, &err);
	if (!c)
		return tool_fail(&err);
	state = internal ? record(c, &err) : lifecycle_state(c->state, lifecycle_status(c));
	if (!state)
		return tool_fail(&err);
	puts(json_object_to_json_string_ext(state, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_SPACED |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}
