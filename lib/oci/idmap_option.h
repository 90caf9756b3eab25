/*
 * The mount options "idmap=uids=0-1000-10#10-2000-5;gids=0-1000-10" and "ridmap=...", which crun
 * has and podman passes on: an id-mapped mount whose mapping is in the option. The numbers of a
 * range are the first id of the filesystem, the first id on the host, and how many. With "@" before
 * a range the second is an id in the container, and becomes the host's by linux.uidMappings.
 */
#ifndef OCI_IDMAP_OPTION_H
#define OCI_IDMAP_OPTION_H

#include "base/err.h"
#include "base/json.h"

/*
 * *ret_maps: {"uidMappings": [...], "gidMappings": [...]}, as a mount may have; the caller puts
 * it. linux_config: of config.json. -1 with *err (FAULT_CONFIG), without a pointer.
 */
int idmap_option_parse(const char *option, const struct json_object *linux_config,
		       struct json_object **ret_maps, struct oci_err *err);

#endif
