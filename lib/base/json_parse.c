#include <string.h>

#include "base/json.h"

struct json_object *json_parse(const char *text, size_t len, const char *name, struct oci_err *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *value;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	value = json_tokener_parse_ex(tokener, text, (int)len);
	if (!value)
		err_set(err, FAULT_CONFIG, "%s: %s", name,
			json_tokener_error_desc(json_tokener_get_error(tokener)));
	json_tokener_free(tokener);
	return value;
}
