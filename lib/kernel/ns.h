/*
 * Namespaces as config.json names them (config-linux.md, "Namespaces").
 */
#ifndef KERNEL_NS_H
#define KERNEL_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80 /* Linux 5.6 */
#endif

struct ns_type {
	const char *name; /* as in config.json */
	const char *file; /* in /proc/PID/ns */
	uint64_t flag;	  /* CLONE_NEW* */
};

extern const struct ns_type ns_types[];
extern const size_t n_ns_types;

const struct ns_type *ns_find(const char *name);

/* The flags of the namespaces that are made anew for this container. */
uint64_t ns_new(const struct json_object *config);

/* The flags of all that it has of its own or joins by path. */
uint64_t ns_listed(const struct json_object *config);

/*
 * Opens the namespace at path and checks that it is one of this type. Returns
 * its descriptor; -1 with *err (FAULT_CONFIG for a missing path and for a wrong type).
 */
int ns_open(const struct ns_type *type, const char *path, struct oci_err *err);

/* Whether path is the namespace of this type that we are in ourselves. */
bool ns_is_ours(const struct ns_type *type, const char *path);

#endif
