/*
 * Validation of config.json: everything that can be said about it without
 * looking at the machine.
 *
 * First the table (oci/spec.h): types, ranges, enumerations, forms, what is
 * required. Then what properties demand of each other (a hostname without a
 * UTS namespace). All errors are found in one run. After a run without errors
 * every getter of base/json.h is safe: no value has another type than the
 * table says.
 *
 * Properties that the specification does not know are warnings: it demands
 * that they are ignored. So are capabilities that this program does not know.
 *
 * config.md, config-linux.md.
 */
#ifndef OCI_VALIDATE_H
#define OCI_VALIDATE_H

#include "base/json.h"
#include "oci/finding.h"

/* Adds what is wrong with config to found. */
void validate_config(const struct json_object *config, struct findings *found);

/* The same for a document that is linux.resources alone; pointers are those of that document. */
void validate_resources(const struct json_object *resources, struct findings *found);

/*
 * The same for a document that is a process alone: as config.json's /process, with pointers
 * that begin in the document.
 */
void validate_process(const struct json_object *process, struct findings *found);

/* The type of the namespaces that have a kernel parameter each ("network"); NULL: none has. */
const char *validate_sysctl_namespace(const char *key);

#endif
