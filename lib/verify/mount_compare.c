#include "verify/mount_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "base/own.h"
#include "kernel/mount.h"

static const char place[] = "mountinfo";

static bool is_bind(const struct mount_entry *entry)
{
	return entry->opt.actions & (MOUNTOPT_BIND | MOUNTOPT_RBIND);
}

/* ---- Attributes ------------------------------------------------------------------------------ */

static const struct {
	uint64_t flag;
	const char *on, *off;
} attributes[] = {
	{MOUNT_ATTR_RDONLY, "ro", "rw"},
	{MOUNT_ATTR_NOSUID, "nosuid", "suid"},
	{MOUNT_ATTR_NODEV, "nodev", "dev"},
	{MOUNT_ATTR_NOEXEC, "noexec", "exec"},
	{MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
	{MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
};

static const char *atime_name(uint64_t value)
{
	return value & MOUNT_ATTR_NOATIME	? "noatime"
	       : value & MOUNT_ATTR_STRICTATIME ? "strictatime"
						: "relatime";
}

/* A bind mount has what its source had in what the options say nothing about. */
static void compare_attributes(struct verify *v, const struct mount_entry *entry,
			       const struct mount_seen *seen)
{
	const struct mountopt *opt = &entry->opt;
	const uint64_t set = opt->set | (opt->recursive_set & ~opt->clear);
	const uint64_t clear = (opt->clear | opt->recursive_clear) & ~set;
	const char *options = seen->info->options;
	struct verify_pointer p = verify_at("/mounts/%zu/options", entry->index);

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		const uint64_t flag = attributes[i].flag;
		bool found = mountinfo_has(options, attributes[i].on);

		if (!(set & flag) && !(clear & flag) && is_bind(entry))
			continue;
		if (flag == MOUNT_ATTR_RDONLY && !(set & flag) && seen->beneath_read_only)
			continue;
		verify_text(v, p.text, place, set & flag ? attributes[i].on : attributes[i].off,
			    found ? attributes[i].on : attributes[i].off);
	}
	if (is_bind(entry) && !((set | opt->clear | opt->recursive_clear) & MOUNT_ATTR__ATIME))
		return;
	verify_text(v, p.text, place, atime_name(set),
		    mountinfo_has(options, "noatime")	 ? "noatime"
		    : mountinfo_has(options, "relatime") ? "relatime"
							 : "strictatime");
}

void mount_compare_propagation(struct verify *v, const char *pointer, uint64_t type,
			       const struct mountinfo *info)
{
	const bool shared = strstr(info->optional, "shared:"),
		   slave = strstr(info->optional, "master:"),
		   unbindable = strstr(info->optional, "unbindable");
	const char *found = shared	 ? "shared"
			    : slave	 ? "slave"
			    : unbindable ? "unbindable"
					 : "private";
	const char *want = type == MS_SHARED	   ? "shared"
			   : type == MS_UNBINDABLE ? "unbindable"
			   : type == MS_PRIVATE	   ? "private"
						   : "slave";

	/* Of what had no peer, a slave is private. */
	if (type == MS_SLAVE && !shared && !unbindable)
		found = want;
	verify_text(v, pointer, place, want, found);
}

static void compare_propagation(struct verify *v, const struct mount_entry *entry,
				const struct mountinfo *info)
{
	struct verify_pointer p = verify_at("/mounts/%zu/options", entry->index);
	const size_t n = entry->opt.n_propagation;
	uint64_t host;

	if (n > 0) {
		mount_compare_propagation(v, p.text, entry->opt.propagation[n - 1].type, info);
		return;
	}
	host = mount_host_propagation(v->config);
	/* Nothing that the container mounts in it may reach the host. */
	if (host == MS_SLAVE || host == MS_PRIVATE)
		mount_compare_propagation(v, p.text, MS_SLAVE, info);
}

/* ---- The filesystem -------------------------------------------------------------------------- */

enum value_kind { VALUE_TEXT, VALUE_AMOUNT, VALUE_OCTAL, VALUE_UID, VALUE_GID };

static const struct {
	const char *type, *key;
	enum value_kind kind;
	const char *standard; /* then the kernel does not show it; NULL: it always does */
} values[] = {
	{"tmpfs", "size", VALUE_AMOUNT, NULL},	    {"tmpfs", "nr_blocks", VALUE_AMOUNT, NULL},
	{"tmpfs", "nr_inodes", VALUE_AMOUNT, NULL}, {"tmpfs", "mode", VALUE_OCTAL, "1777"},
	{"tmpfs", "uid", VALUE_UID, "0"},	    {"tmpfs", "gid", VALUE_GID, "0"},
	{"devpts", "mode", VALUE_OCTAL, NULL},	    {"devpts", "ptmxmode", VALUE_OCTAL, NULL},
	{"devpts", "uid", VALUE_UID, NULL},	    {"devpts", "gid", VALUE_GID, NULL},
};

static bool parse_value(const struct verify *v, enum value_kind kind, const char *text,
			uint64_t *ret_value)
{
	uint32_t outside;
	char *end;

	*ret_value = strtoull(text, &end, kind == VALUE_OCTAL ? 8 : 10);
	if (end == text)
		return false;
	if (kind == VALUE_AMOUNT && *end) {
		const char *suffix = strchr("kmgt", *end | 0x20);

		if (!suffix || end[1])
			return false;
		*ret_value <<= 10 * (suffix - "kmgt" + 1);
		return true;
	}
	if (v && (kind == VALUE_UID || kind == VALUE_GID)) {
		if (!verify_outer_id(v, kind == VALUE_UID ? "uid_map" : "gid_map",
				     (uint32_t)*ret_value, &outside))
			return false;
		*ret_value = outside;
	}
	return *end == '\0';
}

static void compare_known(struct verify *v, const char *pointer, size_t row, const char *wanted,
			  const char *super)
{
	const enum value_kind kind = values[row].kind;
	uint64_t want, got;
	size_t len;
	const char *found = mountinfo_value(super, values[row].key, &len);
	own_ptr char *text = found ? strndup(found, len) : NULL;
	const char *standard = values[row].standard;

	if (!parse_value(v, kind, wanted, &want)) {
		verify_hidden(v, pointer, "\"%s\" depends on the machine", wanted);
		return;
	}
	if (!text && !standard) {
		verify_hidden(v, pointer, "the kernel does not show it when it is the default");
		return;
	}
	verify_compared(v);
	if (!parse_value(NULL, kind, text ? text : standard, &got) ||
	    !(got == want || (kind == VALUE_AMOUNT && got == (want + 4095) / 4096 * 4096)))
		verify_differs(v, pointer, place, wanted, text ? text : standard);
}

static void compare_data(struct verify *v, const struct mount_entry *entry, size_t index,
			 const struct mountinfo *info)
{
	const struct mountopt_data *d = &entry->opt.data[index];
	struct verify_pointer p = verify_at("/mounts/%zu/options/%zu", entry->index, d->index);
	const char *equals = strchr(d->text, '='), *found;
	own_ptr char *key = equals ? strndup(d->text, (size_t)(equals - d->text)) : NULL;
	size_t len;

	for (size_t i = 0; key && i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].type, info->type) == 0 && strcmp(values[i].key, key) == 0) {
			compare_known(v, p.text, i, equals + 1, info->super);
			return;
		}
	found = key ? mountinfo_value(info->super, key, &len) : NULL;
	if (found) {
		own_ptr char *text = strndup(found, len);

		verify_text(v, p.text, place, equals + 1, text);
	} else if (!key && mountinfo_has(info->super, d->text)) {
		verify_compared(v);
	} else {
		verify_hidden(v, p.text, "the kernel does not show the option \"%s\" of %s",
			      d->text, info->type);
	}
}

/* "mand" is shown by no kernel since Linux 5.15. Of two opposites the last counts. */
static const struct {
	const char *name, *opposite;
} superblock_flags[] = {{"sync", "async"}, {"dirsync", NULL}, {"lazytime", "nolazytime"}};

static void compare_flag(struct verify *v, const struct mount_entry *entry, size_t flag,
			 const struct mountinfo *info)
{
	struct verify_pointer p = verify_at("/mounts/%zu/options", entry->index);
	const char *name = superblock_flags[flag].name, *opposite = superblock_flags[flag].opposite;
	int wanted = -1;

	for (size_t i = 0; i < entry->opt.n_superblock; i++) {
		if (strcmp(entry->opt.superblock[i], name) == 0)
			wanted = 1;
		else if (opposite && strcmp(entry->opt.superblock[i], opposite) == 0)
			wanted = 0;
	}
	if (wanted < 0)
		return;
	verify_text(v, p.text, place, wanted ? name : opposite,
		    mountinfo_has(info->super, name) ? name
		    : wanted			     ? info->super
						     : opposite);
}

static void compare_superblock(struct verify *v, const struct mount_entry *entry,
			       const struct mountinfo *info)
{
	for (size_t i = 0; i < ARRAY_SIZE(superblock_flags); i++)
		compare_flag(v, entry, i, info);
	for (size_t i = 0; i < entry->opt.n_superblock; i++)
		if (strcmp(entry->opt.superblock[i], "mand") == 0)
			verify_hidden(v, verify_at("/mounts/%zu/options", entry->index).text,
				      "Linux has no mandatory locks since 5.15");
}

static void compare_filesystem(struct verify *v, const struct mount_entry *entry,
			       const struct mountinfo *info)
{
	verify_text(v, verify_at("/mounts/%zu/type", entry->index).text, place, entry->type,
		    info->type);
	if (strcmp(entry->type, info->type) != 0)
		return;
	if (entry->source && *entry->source)
		verify_text(v, verify_at("/mounts/%zu/source", entry->index).text, place,
			    entry->source, info->source);
	compare_superblock(v, entry, info);
	for (size_t i = 0; i < entry->opt.n_data; i++)
		compare_data(v, entry, i, info);
}

/* ---- Bind mounts ----------------------------------------------------------------------------- */

/* The id that an id-mapped mount shows for one of the filesystem's; -1: unmapped. */
static int64_t mapped_id(const struct json_object *mappings, uint32_t id)
{
	for (size_t i = 0; i < json_length(mappings); i++) {
		const struct json_object *m = json_item(mappings, i);
		uint64_t from = json_uint(m, "containerID", 0), size = json_uint(m, "size", 0);

		if (id >= from && id - from < size)
			return (int64_t)(json_uint(m, "hostID", 0) + (id - from));
	}
	return -1;
}

static void compare_idmap(struct verify *v, const struct mount_entry *entry,
			  const struct mount_seen *seen, const struct stat *source)
{
	struct verify_pointer p = verify_at("/mounts/%zu/uidMappings", entry->index);
	int64_t want;

	if (!entry->uids && !entry->gids &&
	    !(entry->opt.actions & (MOUNTOPT_IDMAP | MOUNTOPT_RIDMAP)))
		return;
	verify_text(v, p.text, place, "idmapped",
		    mountinfo_has(seen->info->options, "idmapped") ? "idmapped" : "not id-mapped");
	want = entry->uids && source ? mapped_id(entry->uids, source->st_uid) : -1;
	if (want < 0 || !seen->st) {
		verify_hidden(v, p.text, "the kernel does not show the mapping of a mount");
		return;
	}
	verify_number(v, p.text, "the owner of the mount's root", want, seen->st->st_uid);
}

static void compare_source(struct verify *v, const struct mount_entry *entry,
			   const struct mount_seen *seen)
{
	struct verify_pointer p = verify_at("/mounts/%zu/source", entry->index);
	struct stat source;
	char found[96];
	int flags = entry->opt.actions & MOUNTOPT_SRC_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;

	if (fstatat(AT_FDCWD, entry->source, &source, flags) < 0) {
		compare_idmap(v, entry, seen, NULL);
		verify_hidden(v, p.text, "\"%s\" is not there any more (%s)", entry->source,
			      err_name(errno));
		return;
	}
	compare_idmap(v, entry, seen, &source);
	if (!seen->st) {
		verify_hidden(v, p.text, "another mount is on top of it");
		return;
	}
	verify_compared(v);
	if (source.st_dev == seen->st->st_dev && source.st_ino == seen->st->st_ino)
		return;
	snprintf(found, sizeof found, "inode %" PRIu64 " of device %u:%u, another file",
		 (uint64_t)seen->st->st_ino, major(seen->st->st_dev), minor(seen->st->st_dev));
	verify_differs(v, p.text, "stat(2)", entry->source, found);
}

void mount_compare(struct verify *v, const struct mount_entry *entry, const struct mount_seen *seen)
{
	if (is_bind(entry) && entry->source)
		compare_source(v, entry, seen);
	else if (!is_bind(entry)) {
		compare_filesystem(v, entry, seen->info);
		compare_idmap(v, entry, seen, NULL);
	}
	compare_attributes(v, entry, seen);
	compare_propagation(v, entry, seen->info);
}
