/* One mount of config.json with the one that is there. Shared by lib/verify/mount*.c only. */
#ifndef VERIFY_MOUNT_COMPARE_H
#define VERIFY_MOUNT_COMPARE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "kernel/mount_entry.h"
#include "verify/area.h"
#include "verify/mountinfo.h"

struct mount_seen {
	const struct mountinfo *info;
	const struct stat *st;	/* of the root of the mount; NULL: another one is on top of it */
	bool beneath_read_only; /* "ro" may have come from linux.readonlyPaths */
};

void mount_compare(struct verify *v, const struct mount_entry *entry,
		   const struct mount_seen *seen);

/* type: MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE. */
void mount_compare_propagation(struct verify *v, const char *pointer, uint64_t type,
			       const struct mountinfo *info);

#endif
