#include "kernel/passwd.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "base/path.h"

enum { PASSWD_SIZE_MAX = 1 << 20, HOME_MAX = 4095, FIELDS = 7, FIELD_UID = 2, FIELD_HOME = 5 };

/* Splits a line in place; true if it has all fields. */
static int split(char *line, char *fields[static FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		if (!line)
			return 0;
		fields[i] = line;
		line = strchr(line, ':');
		if (line)
			*line++ = '\0';
	}
	return 1;
}

static const char *find_home(char *text, uid_t uid)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *fields[FIELDS];
		uint64_t id;

		if (split(line, fields) && num_uint(fields[FIELD_UID], 0, UINT32_MAX, &id) &&
		    id == uid)
			return fields[FIELD_HOME];
	}
	return NULL;
}

/* CVE-2022-4318: a home directory with a newline went into a file with a syntax. */
static int is_home(const char *home)
{
	if (!home || home[0] != '/' || strlen(home) > HOME_MAX)
		return 0;
	for (const char *c = home; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return 0;
	return 1;
}

static int is_regular(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

char *passwd_home(int root_fd, uid_t uid)
{
	own_fd int found = path_open_in_root(root_fd, "etc/passwd", O_PATH), fd = -1;
	own_ptr char *text = NULL;
	const char *home = NULL;
	size_t len;

	/* Looked at before it is opened: to open a device can be to use it. */
	if (is_regular(found))
		fd = path_open_in_root(root_fd, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (is_regular(fd) && fd_read_all(fd, PASSWD_SIZE_MAX, &text, &len) == 0)
		home = find_home(text, uid);
	return strdup(is_home(home) ? home : "/");
}
