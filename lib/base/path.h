/*
 * Paths inside a container: always a root descriptor and a relative path.
 *
 * The files beneath a container's root, and processes that share parts of it,
 * are hostile: they plant symbolic links and exchange directories while we
 * look. Every resolution here is one openat2(2) with RESOLVE_IN_ROOT and
 * RESOLVE_NO_MAGICLINKS (Linux 5.6): absolute links and ".." stay beneath the
 * root, links of /proc/PID/fd's kind are refused. There is no fallback.
 *
 * Results are O_PATH descriptors unless flags say otherwise: what was
 * resolved is what is used, a path is never looked up twice.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Opens path beneath root_fd, following symbolic links inside the root. flags
 * as for open(2), O_CLOEXEC is added. A rename elsewhere in the tree makes the
 * kernel give up with EAGAIN: retried for at most a few milliseconds.
 * -1 with errno.
 */
int path_open_in_root(int root_fd, const char *path, uint64_t flags);

/*
 * As path_open_in_root() with O_PATH, but follows no symbolic link in any
 * component: ELOOP.
 */
int path_open_no_links(int root_fd, const char *path, uint64_t flags);

/*
 * Opens the directory path beneath root_fd and creates what is missing of it
 * (mode 0755 less the umask). A dangling symbolic link on the way is
 * resolved inside the root and its target created there. -1 with errno:
 * ENOTDIR, ELOOP after 40 links.
 */
int path_make_directory(int root_fd, const char *path, mode_t mode);

/*
 * Opens the file path beneath root_fd; if there is none, creates an empty regular file, and
 * the directories that lead to it. What exists may be of any type but a
 * directory (EISDIR).
 */
int path_make_file(int root_fd, const char *path, mode_t mode);

/*
 * Opens the parent directory of path beneath root_fd, creating directories
 * that are missing, and stores the last component in *ret_name (points into
 * path). Symbolic links are followed in the parents, the last component is not
 * looked at. EINVAL if it is empty, "." or "..".
 */
int path_open_parent(int root_fd, const char *path, const char **ret_name);

/*
 * The first component of an absolute host path that cannot be used, and why,
 * as text for a message: '"/srv" is not searchable by uid 100000 (mode 0700,
 * owner 0)'. "" if all can be passed and the last exists. The caller frees it;
 * NULL: no memory.
 */
char *path_explain(const char *path);

#endif
