/*
 * A bundle: a directory with config.json and a root filesystem (bundle.md).
 *
 *	own_bundle struct bundle b = {0};
 *	own_findings struct findings found = {0};
 *
 *	if (bundle_read(&b, "web", err) < 0)
 *		return -1;
 *	bundle_check(&b, &found);
 *	if (found.n_errors)
 *		return finding_fail(&found, b.text, b.len, b.config_name, err);
 *
 * It belongs to the user: symbolic links in its path, to its config.json and
 * to its root filesystem are followed.
 */
#ifndef STAGE_BUNDLE_H
#define STAGE_BUNDLE_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "oci/finding.h"

struct bundle {
	char *path;	   /* canonical, absolute */
	char *config_name; /* of its config.json, as the user would say it: "web/config.json" */
	char *text;	   /* of config.json */
	size_t len;
	struct json_object *config;
	/* Of bundle_check(), when /root has no error: */
	char *rootfs; /* canonical, absolute */
	uint64_t root_dev, root_ino;
};

/*
 * Finds the bundle and reads its config.json, or config_file (absolute; may be NULL) in its
 * place, as JSON. -1 with *err: FAULT_CONFIG for what is wrong with it, naming the component of the
 * path that fails.
 */
int bundle_read(struct bundle *b, const char *path, const char *config_file, struct oci_err *err);

/*
 * Adds everything that is wrong: validate_config(), the root filesystem, and
 * namespaces joined by path that turn out to be our own where the config would change them.
 */
void bundle_check(struct bundle *b, struct findings *found);

/* The report of the warnings, or NULL if there are none; the caller frees it. */
char *bundle_warnings(const struct bundle *b, struct findings *found);

void bundle_free(struct bundle *b);

#define own_bundle __attribute__((cleanup(bundle_free)))

#endif
