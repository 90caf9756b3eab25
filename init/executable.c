/*
 * Purpose: find the program before the container counts as created, with the
 *   rights that it will be executed with; and say why it cannot be executed in
 *   the words that engines turn into exit codes 126 and 127.
 * Runs in: the container, as the user.
 * Specification: config.md, process.args ("the same semantics as execvp's file").
 */
#include "init/init.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, SEGMENTS_MAX = 64 };

/* No program is as large; in KiB it is an int. */
#define ADDRESS_SPACE_MAX ((uint64_t)1 << 40)

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

/* A name that is long would leave no room for what is wrong with it. */
static const char *shown(const char *name)
{
	enum { SHOWN_MAX = 200 };
	static char text[SHOWN_MAX + sizeof "..."];

	if (strlen(name) <= SHOWN_MAX)
		return name;
	memcpy(text, name, SHOWN_MAX);
	strcpy(text + SHOWN_MAX, "...");
	return text;
}

int fail_exec(const struct plan *plan, int errnum, struct init_reply *reply)
{
	reply->flags |= INIT_EXEC_ERROR;
	for (size_t i = 0; i < sizeof exec_errors / sizeof *exec_errors; i++)
		if (exec_errors[i].errnum == errnum)
			return reply_error_at(reply, "/process/args/0", errnum, "exec: \"%s\": %s",
					      first_arg(plan), exec_errors[i].words);
	return reply_error_at(reply, "/process/args/0", errnum, "exec: \"%s\": errno %d",
			      shown(first_arg(plan)), errnum);
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
				      "exec: \"%s\": executable file not found in $PATH",
				      shown(file));
	}
	return e ? fail_exec(plan, e, reply) : 0;
}

/* What the segments of an ELF file take of address space, in bytes; 0: it is none, or unreadable.
 */
static uint64_t address_space(int fd)
{
	const uint64_t page = 4096;
	Elf64_Phdr segments[SEGMENTS_MAX];
	Elf64_Ehdr header;
	uint64_t sum = 0;

	if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof *segments ||
	    header.e_phnum > SEGMENTS_MAX ||
	    pread(fd, segments, header.e_phnum * sizeof *segments, (off_t)header.e_phoff) !=
		    (ssize_t)(header.e_phnum * sizeof *segments))
		return 0;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		uint64_t size = segments[i].p_memsz;

		if (segments[i].p_type != PT_LOAD)
			continue;
		/* What cannot be is execve(2)'s to refuse. */
		if (size > ADDRESS_SPACE_MAX)
			return 0;
		sum += (size + segments[i].p_vaddr % page + page - 1) / page * page;
	}
	return sum;
}

/*
 * With less address space than the program's segments take the kernel kills it within execve(2),
 * after the point where that could fail, and the start would have succeeded. What it needs
 * beyond them, as a stack and libraries, nobody knows before.
 */
int check_address_space(const struct plan *plan, struct init_reply *reply)
{
	struct rlimit limit;
	struct stat st;
	uint64_t needed = 0;
	int fd;

	if ((plan->flags & PLAN_NO_PROCESS) || getrlimit(RLIMIT_AS, &limit) < 0 ||
	    limit.rlim_cur > ADDRESS_SPACE_MAX)
		return 0;
	fd = open(executable, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		needed = address_space(fd);
	close(fd);
	if (needed <= limit.rlim_cur)
		return 0;
	reply->flags |= INIT_EXEC_ERROR;
	return reply_error_at(reply, "/process/rlimits", ENOMEM,
			      "exec: \"%s\": its segments alone take %d KiB of address space, more "
			      "than RLIMIT_AS allows",
			      first_arg(plan), (int)(needed / 1024));
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
