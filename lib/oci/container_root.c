/* The state root, and the names beneath it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "oci/container.h"

int container_check_id(const char *id, struct oci_err *err)
{
	static const char first[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+";
	size_t len = strlen(id);

	if (len == 0)
		return err_set(err, FAULT_USAGE, "the container id is empty");
	if (len > 255)
		return err_set(err, FAULT_USAGE, "the container id is longer than 255 characters");
	if (!strchr(first, id[0]))
		return err_set(
			err, FAULT_USAGE,
			"invalid container id \"%s\": it must begin with a letter, a digit, _ or +",
			id);
	for (const char *c = id; *c; c++)
		if (!strchr(first, *c) && *c != '.' && *c != '-')
			return err_set(err, FAULT_USAGE,
				       "invalid container id \"%s\": only letters, digits and _+.- "
				       "may be in it",
				       id);
	return 0;
}

/*
 * Whether this is root of a user namespace that was made by a user, as an engine without root
 * makes one: then the environment is that user's. user_namespaces(7): in the first one the whole
 * range is mapped to itself.
 */
static bool is_root_of_user(void)
{
	const char *user = getenv("USER");
	own_fd int fd = -1;
	char text[256];
	ssize_t n;

	if (user && strcmp(user, "root") == 0)
		return false;
	fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	return !strstr(text, " 0          0 4294967295");
}

char *container_default_root(void)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	char *root = NULL;

	if (!runtime_dir || runtime_dir[0] != '/' || (geteuid() == 0 && !is_root_of_user()))
		return strdup("/run/oci");
	return asprintf(&root, "%s/oci", runtime_dir) < 0 ? NULL : root;
}

/* Makes the directories that lead to the root too, as mkdir -p does; the root itself is ours alone.
 */
static int make_root(const char *root)
{
	own_ptr char *path = strdup(root);

	if (!path)
		return -1;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

int container_open_root(const char *root, bool make, struct oci_err *err)
{
	own_fd int fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT && make && make_root(root) == 0)
		fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open the state root \"%s\"", root);
	if (st.st_uid != geteuid() || (st.st_mode & 022)) {
		err_set(err, FAULT_STATE, "the state root \"%s\" is refused: owner %u, mode %04o",
			root, (unsigned)st.st_uid, st.st_mode & 07777u);
		err_hint(err, "it must be yours and writable by nobody else: chmod 0700 it, or "
			      "give another --root");
		return -1;
	}
	return steal_fd(&fd);
}
