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
#include "base/sys.h"

enum { FORMAT = 1, FILE_SIZE_MAX = 4 << 20, NAME_SIZE = 32 };

/* Then the source, without a NUL, then the program. */
struct header {
	uint32_t format, library; /* another one may compile otherwise */
	uint32_t flags, notifies;
	uint64_t source_len, program_size;
};

static const char directory[] = "oci-cache";

static uint32_t library_version(void)
{
	const struct scmp_version *v = seccomp_version();

	return v ? v->major << 16 | v->minor << 8 | v->micro : 0;
}

int seccomp_cache_open_at(const char *parent)
{
	own_fd int above = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1;
	struct stat st;

	if (above < 0)
		return -1;
	if (mkdirat(above, directory, 0700) < 0 && errno != EEXIST)
		return -1;
	dir = openat(above, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022))
		return -1;
	return steal_fd(&dir);
}

int seccomp_cache_open(void)
{
	const char *parent = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");

	return parent && parent[0] == '/' ? seccomp_cache_open_at(parent) : -1;
}

/* FNV-1a: it spreads the names; the comparison of the source is what decides. */
static void name_of(const char *source, char name[static NAME_SIZE])
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (const char *c = source; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
	snprintf(name, NAME_SIZE, "seccomp-%016llx", (unsigned long long)hash);
}

static bool is_for(const struct header *h, const char *text, size_t len, const char *source)
{
	const size_t source_len = strlen(source);

	return len >= sizeof *h && h->format == FORMAT && h->library == library_version() &&
	       h->source_len == source_len && h->program_size > 0 &&
	       h->program_size % sizeof(struct sock_filter) == 0 &&
	       h->program_size <= BPF_MAXINSNS * sizeof(struct sock_filter) &&
	       len == sizeof *h + source_len + h->program_size &&
	       memcmp(text + sizeof *h, source, source_len) == 0;
}

bool seccomp_cache_get(int dir, const char *source, struct seccomp_filter *ret_filter)
{
	own_ptr char *text = NULL;
	char name[NAME_SIZE];
	struct header h;
	void *program;
	size_t len;

	name_of(source, name);
	if (fd_read_file(dir, name, FILE_SIZE_MAX, &text, &len) < 0)
		return false;
	memcpy(&h, text, len < sizeof h ? len : sizeof h);
	if (!is_for(&h, text, len, source))
		return false;
	program = malloc(h.program_size);
	if (!program)
		return false;
	memcpy(program, text + len - h.program_size, h.program_size);
	*ret_filter = (struct seccomp_filter){
		.program = program,
		.size = h.program_size,
		.flags = h.flags,
		.notifies = h.notifies,
	};
	return true;
}

static void drop_all_if_full(int dir)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3);
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
	while (n > SECCOMP_CACHE_FILES_MAX + 2 && (entry = readdir(stream)))
		unlinkat(dir, entry->d_name, 0);
	closedir(stream);
}

void seccomp_cache_put(int dir, const char *source, const struct seccomp_filter *filter)
{
	const struct header h = {
		.format = FORMAT,
		.library = library_version(),
		.flags = filter->flags,
		.notifies = filter->notifies,
		.source_len = strlen(source),
		.program_size = filter->size,
	};
	char name[NAME_SIZE], temporary[NAME_SIZE];
	own_fd int fd = -1;

	name_of(source, name);
	snprintf(temporary, sizeof temporary, "new-%d", (int)getpid());
	drop_all_if_full(dir);
	unlinkat(dir, temporary, 0);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (fd_write_all(fd, &h, sizeof h) < 0 || fd_write_all(fd, source, h.source_len) < 0 ||
	    fd_write_all(fd, filter->program, filter->size) < 0 ||
	    renameat(dir, temporary, dir, name) < 0)
		unlinkat(dir, temporary, 0);
}
