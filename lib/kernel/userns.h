/*
 * User namespaces: writing the id maps of a process that has just made one.
 *
 * user_namespaces(7): a map is written once, by a process with CAP_SETUID or
 * CAP_SETGID in the parent namespace, or, one line with the writer's own id, by
 * anybody. What neither allows is done by newuidmap(1) and newgidmap(1), which
 * know the ranges of /etc/subuid and /etc/subgid.
 */
#ifndef KERNEL_USERNS_H
#define KERNEL_USERNS_H

#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

/*
 * Writes the maps of pid, arrays of {containerID, hostID, size}. Without the
 * right to map groups, setgroups(2) is denied in the namespace first, as the
 * kernel demands. -1 with *err, its pointer /linux/uidMappings or gidMappings.
 */
int userns_write_maps(pid_t pid, const struct json_object *uid_mappings,
		      const struct json_object *gid_mappings, struct oci_err *err);

#endif
