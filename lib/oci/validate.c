#include "oci/validate.h"

#include <string.h>

static void require_string(const struct json_object *config, const char *object, const char *key,
			   const char *pointer, struct findings *found)
{
	const char *text = json_string(json_member(config, object), key);

	if (!text || !*text)
		finding_add(found, FINDING_ERROR, AT_VALUE, pointer, "required, but not there");
}

void validate_config(const struct json_object *config, struct findings *found)
{
	if (!json_string(config, "ociVersion"))
		finding_add(found, FINDING_ERROR, AT_VALUE, "/ociVersion",
			    "required, but not there");
	require_string(config, "root", "path", "/root/path", found);
}
