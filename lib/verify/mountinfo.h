/*
 * /proc/PID/mountinfo (proc_pid_mountinfo(5)) as a table, found by id and by
 * mount point without a walk through all of it: there may be tens of thousands.
 */
#ifndef VERIFY_MOUNTINFO_H
#define VERIFY_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mountinfo {
	uint64_t id, parent;
	const char *root, *point; /* unescaped */
	const char *options;	  /* "ro,nosuid": of the mount */
	const char *optional;	  /* "shared:3 master:1", or "" */
	const char *type, *source;
	const char *super; /* "rw,size=64k": of the superblock */
	bool claimed;	   /* config.json asks for it */
	bool covered;	   /* by another one at the same point */
};

struct mountinfos {
	struct mountinfo *items; /* by id */
	size_t n;
};

/* Takes text, which it changes and refers to. -1 without memory. */
int mountinfo_parse(char *text, struct mountinfos *ret_infos);
void mountinfo_free(struct mountinfos *infos);

/* NULL if there is none. */
struct mountinfo *mountinfo_find(const struct mountinfos *infos, uint64_t id);

/* Whether a list "a,b=c" has the word; the value of a key in it, its length in *ret_len, or NULL.
 */
bool mountinfo_has(const char *list, const char *word);
const char *mountinfo_value(const char *list, const char *key, size_t *ret_len);

#endif
