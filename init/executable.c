/*
 * Purpose: find the program before the container counts as created, with the
 *   rights that it will be executed with; and say why it cannot be executed in
 *   the words that engines turn into exit codes 126 and 127.
 * Runs in: the container, as the user.
 * Specification: config.md, process.args ("the same semantics as execvp's file").
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static char executable[PATH_SIZE];
static const char **vectors; /* args, NULL, env, NULL */

static const struct {
	int errnum;
	const char *words;
} exec_errors[] = {
	{ENOENT, "no such file or directory"},
	{ENOTDIR, "not a directory"},
	{EACCES, "permission denied"},
	{EPERM, "operation not permitted"},
	/* The second half is for engines that know the code 126 by these words only. */
	{EISDIR, "is a directory: permission denied"},
	{ENOEXEC, "exec format error"},
	{E2BIG, "argument list too long"},
	{ELOOP, "too many levels of symbolic links"},
	{ENAMETOOLONG, "file name too long"},
	{ETXTBSY, "text file busy"},
	{ENOMEM, "cannot allocate memory"},
	{EAGAIN, "resource temporarily unavailable: the user has RLIMIT_NPROC processes"},
	{EIO, "input/output error"},
	{EINVAL, "invalid argument"},
	{ELIBBAD, "its interpreter is no valid executable"},
};

static const char *first_arg(const struct plan *plan)
{
	return plan_at(plan, plan->args.text);
}

int fail_exec(const struct plan *plan, int errnum, struct init_reply *reply)
{
	reply->flags |= INIT_EXEC_ERROR;
	for (size_t i = 0; i < sizeof exec_errors / sizeof *exec_errors; i++)
		if (exec_errors[i].errnum == errnum)
			return reply_error_at(reply, "/process/args/0", errnum, "exec: \"%s\": %s",
					      first_arg(plan), exec_errors[i].words);
	return reply_error_at(reply, "/process/args/0", errnum, "exec: \"%s\": errno %d",
			      first_arg(plan), errnum);
}

/* 0, or the errno that execve(2) would give, as far as can be told without it. */
static int try_executable(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), result = 0;
	struct stat st;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) < 0)
		result = errno;
	else if (S_ISDIR(st.st_mode))
		result = EISDIR;
	else if (!S_ISREG(st.st_mode))
		result = EACCES;
	else if (syscall(SYS_faccessat2, fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) < 0)
		result = errno;
	close(fd);
	return result;
}

static const char *search_path(const struct plan *plan)
{
	const char *entry = plan_at(plan, plan->env.text);

	for (uint32_t i = 0; i < plan->env.n; i++, entry += strlen(entry) + 1)
		if (strncmp(entry, "PATH=", 5) == 0)
			return entry + 5;
	return default_path;
}

/* Whether the search goes on after this errno, as execvp(3) has it. */
static int is_elsewhere(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == EISDIR ||
	       errnum == ENODEV || errnum == ETIMEDOUT || errnum == ESTALE ||
	       errnum == ENAMETOOLONG;
}

static int search(const char *file, const char *path)
{
	size_t file_len = strlen(file);
	int denied = 0;

	for (;;) {
		size_t len = strcspn(path, ":");

		if (len + 1 + file_len < sizeof executable) {
			int e;

			/* An empty element is the working directory. */
			memcpy(executable, path, len);
			executable[len] = '/';
			memcpy(executable + len + (len > 0), file, file_len + 1);
			e = try_executable(executable);
			if (e == 0 || !is_elsewhere(e))
				return e;
			denied |= e == EACCES;
		}
		if (!path[len])
			return denied ? EACCES : ENOENT;
		path += len + 1;
	}
}

int find_executable(const struct plan *plan, struct init_reply *reply)
{
	const char *file;
	int e;

	if (plan->flags & PLAN_NO_PROCESS)
		return 0;
	file = first_arg(plan);
	if (strchr(file, '/')) {
		if (strlen(file) >= sizeof executable)
			return fail_exec(plan, ENAMETOOLONG, reply);
		strcpy(executable, file);
		e = try_executable(executable);
		return e ? fail_exec(plan, e, reply) : 0;
	}
	e = *file ? search(file, search_path(plan)) : ENOENT;
	if (e == ENOENT) {
		reply->flags |= INIT_EXEC_ERROR;
		return reply_error_at(reply, "/process/args/0", e,
				      "exec: \"%s\": executable file not found in $PATH", file);
	}
	return e ? fail_exec(plan, e, reply) : 0;
}

const char **point_vector(const char **vector, const struct plan *plan,
			  const struct plan_list *list)
{
	const char *text = plan_at(plan, list->text);

	for (uint32_t i = 0; i < list->n; i++, text += strlen(text) + 1)
		*vector++ = text;
	*vector++ = NULL;
	return vector;
}

/* The pointers that execve(2) wants, made now: a filter may forbid mmap(2) later. */
int make_vectors(const struct plan *plan, struct init_reply *reply)
{
	size_t n = (size_t)plan->args.n + plan->env.n + 2;
	void *map;

	if (plan->flags & PLAN_NO_PROCESS)
		return 0;
	map = mmap(NULL, n * sizeof *vectors, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	if (map == MAP_FAILED)
		return reply_error(reply, errno, "cannot map the arguments");
	vectors = map;
	point_vector(point_vector(vectors, plan, &plan->args), plan, &plan->env);
	return 0;
}

int may_execute(const struct plan *plan, struct init_reply *reply)
{
	if (!plan->filter.size)
		return 0;
	return check_exec_filter(plan, executable, vectors, vectors + plan->args.n + 1, reply);
}

int execute(const struct plan *plan)
{
	const char **env = vectors + plan->args.n + 1;

	execve(executable, (char *const *)(uintptr_t)vectors, (char *const *)(uintptr_t)env);
	return errno;
}
