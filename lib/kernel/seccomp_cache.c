#include "kernel/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/own.h"

/* FORMAT is another one also when seccomp_compile() makes something else of the same source. */
enum { FORMAT = 3, FILE_SIZE_MAX = 4 << 20, NAME_SIZE = 32 };

/* Then the source, without a NUL, then the program. */
struct header {
	uint32_t format, library; /* another one may compile otherwise */
	uint32_t flags, notifies;
	uint64_t source_len, program_size;
	uint64_t checksum; /* of all the rest, this being 0 */
};

static const char directory[] = ".seccomp", file[] = "seccomp";

static uint32_t library_version(void)
{
	const struct scmp_version *v = seccomp_version();

	return v ? v->major << 16 | v->minor << 8 | v->micro : 0;
}

/* In the manner of FNV-1a, but eight bytes at once: for names, and against damage, no more. */
static uint64_t digest(const void *bytes, size_t len, uint64_t hash)
{
	const char *at = bytes;

	for (; len; at += 8) {
		const size_t n = len < 8 ? len : 8;
		uint64_t word = 0;

		memcpy(&word, at, n);
		hash = (hash ^ word ^ n) * 0x100000001b3u;
		hash ^= hash >> 29;
		len -= n;
	}
	return hash;
}

static uint64_t checksum(const struct header *h, const void *source, const void *program)
{
	struct header zero = *h;
	uint64_t hash;

	zero.checksum = 0;
	hash = digest(&zero, sizeof zero, 0xcbf29ce484222325u);
	hash = digest(source, h->source_len, hash);
	return digest(program, h->program_size, hash);
}

static void name_of(const char *source, char name[static NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%016llx",
		 (unsigned long long)digest(source, strlen(source), 0xcbf29ce484222325u));
}

/* -1: there is none to use, or it is not ours alone. */
static int open_cache(int root_fd)
{
	own_fd int dir = -1;
	struct stat st;

	dir = openat(root_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT && mkdirat(root_fd, directory, 0700) == 0)
		dir = openat(root_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022))
		return -1;
	return steal_fd(&dir);
}

/* The parts of a file's text, if it is whole. */
static bool take_apart(const char *text, size_t len, struct header *ret_header,
		       const char **ret_source, const char **ret_program)
{
	struct header h;

	if (len < sizeof h)
		return false;
	memcpy(&h, text, sizeof h);
	if (h.format != FORMAT || h.library != library_version() || h.source_len > len ||
	    h.program_size == 0 || h.program_size % sizeof(struct sock_filter) ||
	    h.program_size > BPF_MAXINSNS * sizeof(struct sock_filter) ||
	    len != sizeof h + h.source_len + h.program_size)
		return false;
	*ret_header = h;
	*ret_source = text + sizeof h;
	*ret_program = *ret_source + h.source_len;
	return h.checksum == checksum(&h, *ret_source, *ret_program);
}

/* source: what it must be for, or NULL. ret_filter may be NULL: only whether there is one. */
static bool read_file(int dir_fd, const char *source, struct seccomp_filter *ret_filter)
{
	own_ptr char *text = NULL;
	const char *its_source, *program;
	struct header h;
	size_t len;
	void *copy;

	if (fd_read_file(dir_fd, file, FILE_SIZE_MAX, &text, &len) < 0 ||
	    !take_apart(text, len, &h, &its_source, &program))
		return false;
	if (source &&
	    (strlen(source) != h.source_len || memcmp(source, its_source, h.source_len) != 0))
		return false;
	if (!ret_filter)
		return true;
	copy = malloc(h.program_size);
	if (!copy)
		return false;
	memcpy(copy, program, h.program_size);
	*ret_filter = (struct seccomp_filter){
		.program = copy,
		.size = h.program_size,
		.flags = h.flags,
		.notifies = h.notifies,
	};
	return true;
}

static bool write_file(int dir_fd, const char *source, const struct seccomp_filter *filter)
{
	struct header h = {
		.format = FORMAT,
		.library = library_version(),
		.flags = filter->flags,
		.notifies = filter->notifies,
		.source_len = strlen(source),
		.program_size = filter->size,
	};
	own_fd int fd =
		openat(dir_fd, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	h.checksum = checksum(&h, source, filter->program);
	if (fd < 0)
		return false;
	if (fd_write_all(fd, &h, sizeof h) == 0 && fd_write_all(fd, source, h.source_len) == 0 &&
	    fd_write_all(fd, filter->program, filter->size) == 0)
		return true;
	unlinkat(dir_fd, file, 0);
	return false;
}

static void drop_all_if_full(int cache)
{
	int copy = fcntl(cache, F_DUPFD_CLOEXEC, 3);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int n = 0;

	if (!stream) {
		own_close_fd(&copy);
		return;
	}
	rewinddir(stream);
	while (readdir(stream))
		n++;
	rewinddir(stream);
	while (n >= SECCOMP_CACHE_FILES_MAX + 2 && (entry = readdir(stream)))
		unlinkat(cache, entry->d_name, 0);
	closedir(stream);
}

/* The container's file gets its second name. */
static void publish(int dir_fd, int cache, const char *name)
{
	char temporary[NAME_SIZE];

	drop_all_if_full(cache);
	if (linkat(dir_fd, file, cache, name, 0) == 0 || errno != EEXIST)
		return;
	/* What is there is damaged, or was put there this moment. */
	snprintf(temporary, sizeof temporary, "new-%d", (int)getpid());
	unlinkat(cache, temporary, 0);
	if (linkat(dir_fd, file, cache, temporary, 0) == 0)
		renameat(cache, temporary, cache, name);
	unlinkat(cache, temporary, 0);
}

/* Looked at under the name that it is used by: nobody exchanges it afterwards. */
static bool take_cached(const struct container *c, int cache, const char *name, const char *source)
{
	if (linkat(cache, name, c->dir_fd, file, 0) < 0)
		return false;
	if (read_file(c->dir_fd, source, NULL))
		return true;
	unlinkat(c->dir_fd, file, 0);
	return false;
}

/* Another kernel may know other actions, so the boot belongs to it. The caller frees it. */
static char *source_of(const struct container *c, const struct json_object *seccomp)
{
	/* json-c keeps the text in the object. */
	union {
		const struct json_object *in;
		struct json_object *out;
	} object = {.in = seccomp};
	const char *text = json_object_to_json_string_ext(object.out, JSON_C_TO_STRING_PLAIN);
	char *source = NULL;

	if (!text || asprintf(&source, "%s\n%s", c->state->boot_id, text) < 0)
		return NULL;
	return source;
}

int seccomp_cache_prepare(const struct container *c, struct oci_err *err)
{
	const struct json_object *seccomp = json_path(c->config, "linux", "seccomp", NULL);
	own_ptr char *source = seccomp ? source_of(c, seccomp) : NULL;
	own_ptr void *program = NULL;
	struct seccomp_filter filter;
	own_fd int cache = -1;
	char name[NAME_SIZE];

	if (!seccomp)
		return 0;
	if (!source)
		return err_sys(err, ENOMEM, "cannot prepare the seccomp filter");
	name_of(source, name);
	cache = open_cache(c->root_fd);
	/* Of an attempt that was killed. */
	unlinkat(c->dir_fd, file, 0);
	if (cache >= 0 && take_cached(c, cache, name, source))
		return 0;
	if (seccomp_compile(seccomp, &filter, err) < 0)
		return -1;
	program = filter.program;
	if (!write_file(c->dir_fd, source, &filter))
		return err_sys(err, errno, "cannot keep the seccomp filter in \"%s/%s\"", c->root,
			       c->id);
	if (cache >= 0)
		publish(c->dir_fd, cache, name);
	return 0;
}

int seccomp_cache_load(const struct container *c, struct seccomp_filter *ret_filter,
		       struct oci_err *err)
{
	const struct json_object *seccomp = json_path(c->config, "linux", "seccomp", NULL);

	if (seccomp && read_file(c->dir_fd, NULL, ret_filter))
		return 0;
	return seccomp_compile(seccomp, ret_filter, err);
}
