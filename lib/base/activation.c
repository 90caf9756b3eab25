#include "base/activation.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"

enum { FDS_MAX = 1 << 16 };

unsigned activation_fds(void)
{
	const char *count = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
	uint64_t n, pid;

	if (!count || !whose || !num_uint(count, 0, FDS_MAX, &n) ||
	    !num_uint(whose, 1, INT32_MAX, &pid) || pid != (uint64_t)getpid())
		return 0;
	return (unsigned)n;
}

const char *activation_names(void)
{
	const char *names = getenv("LISTEN_FDNAMES");

	return activation_fds() && names && *names ? names : NULL;
}

const char *activation_notify(void)
{
	const char *socket = getenv("NOTIFY_SOCKET");

	return socket && (socket[0] == '/' || socket[0] == '@') && socket[1] ? socket : NULL;
}
