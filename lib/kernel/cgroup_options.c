/* nsdelegate and its like. */
#include "kernel/cgroup_options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"

enum { MOUNTINFO_MAX = 64 << 20 };

/* cgroup-v2.rst, "Mounting". */
static const char *const names[] = {"nsdelegate",
				    "favordynmods",
				    "memory_localevents",
				    "memory_recursiveprot",
				    "memory_hugetlb_accounting",
				    "pids_localevents"};

/* The line of the first cgroup2 mount, where it is, and the options of its superblock. */
static char *find_mount(char *mountinfo, char **ret_options)
{
	char *type = strstr(mountinfo, " - cgroup2 "), *line = type, *point;

	if (!type)
		return NULL;
	while (line > mountinfo && line[-1] != '\n')
		line--;
	type[strcspn(type, "\n")] = '\0';
	*ret_options = strrchr(type, ' ') + 1;
	*type = '\0';
	point = line;
	for (int field = 0; field < 4 && point; field++) {
		point = strchr(point, ' ');
		point += point != NULL;
	}
	if (point)
		point[strcspn(point, " ")] = '\0';
	return point;
}

static char *read_mountinfo(void)
{
	own_err struct oci_err ignored = ERR_INIT;
	int proc = proc_fd(&ignored);
	own_fd int fd = -1;
	char *text = NULL;
	size_t len;

	if (proc >= 0)
		fd = sys_openat2(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	if (fd < 0 || fd_read_all(fd, MOUNTINFO_MAX, &text, &len) < 0)
		return NULL;
	return text;
}

static unsigned parse(char *options)
{
	unsigned set = 0;
	char *rest = options;

	for (char *option; (option = strsep(&rest, ","));)
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
			if (strcmp(option, names[i]) == 0)
				set |= 1U << i;
	return set;
}

unsigned cgroup_options(void)
{
	own_ptr char *mountinfo = read_mountinfo();
	char *options = NULL;

	return mountinfo && find_mount(mountinfo, &options) ? parse(options) : 0;
}

int cgroup_options_set(unsigned options, struct oci_err *err)
{
	own_ptr char *mountinfo = NULL;
	char *point, *now = NULL;
	own_fd int fs = -1;

	if (!options || options == cgroup_options())
		return 0;
	mountinfo = read_mountinfo();
	point = mountinfo ? find_mount(mountinfo, &now) : NULL;
	if (!point)
		return 0;
	fs = fspick(AT_FDCWD, point, FSPICK_CLOEXEC);
	if (fs < 0)
		return err_sys(err, errno, "cannot open the filesystem at \"%s\"", point);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if ((options & 1U << i) && fsconfig(fs, FSCONFIG_SET_FLAG, names[i], NULL, 0) < 0)
			return err_sys(err, errno, "cannot set \"%s\" of \"%s\"", names[i], point);
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return err_sys(err, errno, "cannot set the options of \"%s\"", point);
	return 0;
}
