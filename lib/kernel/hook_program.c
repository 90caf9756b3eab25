#include "kernel/hook_program.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"

static int open_program(const char *path)
{
	own_fd int fd = path && path[0] == '/'
				? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
				: -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return -1;
	return steal_fd(&fd);
}

void hook_programs_open(struct hook_programs *programs, const struct json_object *hooks)
{
	const size_t n = json_length(hooks);

	for (size_t i = 0; i < n && programs->n < INIT_HOOK_PROGRAMS_MAX; i++)
		programs->host[programs->n++] =
			open_program(json_string(json_item(hooks, i), "path"));
}

static bool has(int root_fd, const char *path)
{
	own_fd int fd = path_open_in_root(root_fd, path, O_PATH);

	/* Only what is certainly not there is not there. */
	return fd >= 0 || errno != ENOENT;
}

int hook_programs_copy(struct hook_programs *programs, const struct json_object *hooks, int root_fd,
		       struct init_ready *ready, struct oci_err *err)
{
	for (unsigned i = 0; i < programs->n; i++) {
		const char *path = json_string(json_item(hooks, i), "path");
		int fd;

		if (programs->host[i] < 0 || has(root_fd, path))
			continue;
		fd = fd_memory_copy("oci-hook", programs->host[i]);
		if (fd < 0) {
			err_sys(err, errno, "cannot copy the hook's program \"%s\"", path);
			return err_at(err, "/hooks/startContainer/%u", i);
		}
		ready->programs[programs->n_copies] = fd;
		ready->hooks |= (uint64_t)1 << i;
		programs->copies[programs->n_copies++] = fd;
	}
	return 0;
}

void hook_programs_close(struct hook_programs *programs)
{
	for (unsigned i = 0; i < programs->n; i++)
		own_close_fd(&programs->host[i]);
	for (unsigned i = 0; i < programs->n_copies; i++)
		own_close_fd(&programs->copies[i]);
}
