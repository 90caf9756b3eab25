/* Where the helper programs are. */
#include "base/libexec.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

/* Below the directory of the executable: of an installation, of a build. */
static const char *const places[] = {"../libexec/oci", "libexec"};

char *libexec_path(const char *name, struct oci_err *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);

	if (n < 0 || (size_t)n >= sizeof self) {
		err_sys(err, n < 0 ? errno : ENAMETOOLONG,
			"cannot find the helper program \"%s\": /proc/self/exe", name);
		return NULL;
	}
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		char *path = NULL;

		if (asprintf(&path, "%s/%s/%s", self, places[i], name) < 0) {
			err_sys(err, ENOMEM, "cannot find the helper program \"%s\"", name);
			return NULL;
		}
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	err_set(err, FAULT_UNSUPPORTED,
		"the helper program \"%s\" is not installed: it is neither in \"%s/%s\" nor in "
		"\"%s/%s\"",
		name, self, places[0], self, places[1]);
	return NULL;
}
