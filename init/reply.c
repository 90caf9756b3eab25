#include "init/init.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static size_t append(char *text, size_t size, size_t used, const char *more)
{
	while (*more && used + 1 < size)
		text[used++] = *more++;
	text[used] = '\0';
	return used;
}

static const char *decimal(int value, char digits[static 12])
{
	unsigned magnitude = value < 0 ? 0u - (unsigned)value : (unsigned)value;
	char *p = digits + 11;

	*p = '\0';
	do
		*--p = (char)('0' + magnitude % 10);
	while (magnitude /= 10);
	if (value < 0)
		*--p = '-';
	return p;
}

static void format(char *text, size_t size, const char *fmt, va_list args)
{
	char digits[12], one[2] = "";
	size_t used = 0;

	text[0] = '\0';
	for (const char *c = fmt; *c; c++) {
		if (c[0] == '%' && c[1] == 's') {
			used = append(text, size, used, va_arg(args, const char *));
			c++;
		} else if (c[0] == '%' && c[1] == 'd') {
			used = append(text, size, used, decimal(va_arg(args, int), digits));
			c++;
		} else {
			one[0] = *c;
			used = append(text, size, used, one);
		}
	}
}

/* A limit of process.rlimits that is below what init itself needs, if that explains the error. */
static void explain_limit(struct init_reply *reply, int errnum)
{
	static const struct {
		int errnum, resource, suspect;
		const char *name;
	} limits[] = {
		{ENOMEM, RLIMIT_AS, 64 << 20, "RLIMIT_AS"},
		{ENOMEM, RLIMIT_DATA, 64 << 20, "RLIMIT_DATA"},
		{ENOMEM, RLIMIT_STACK, 1 << 20, "RLIMIT_STACK"},
		{EMFILE, RLIMIT_NOFILE, 64, "RLIMIT_NOFILE"},
	};
	size_t used = strlen(reply->text);
	struct rlimit limit;
	char digits[12];

	for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
		if (limits[i].errnum != errnum || getrlimit(limits[i].resource, &limit) < 0 ||
		    limit.rlim_cur >= (rlim_t)limits[i].suspect)
			continue;
		used = append(reply->text, sizeof reply->text, used, " (");
		used = append(reply->text, sizeof reply->text, used, limits[i].name);
		used = append(reply->text, sizeof reply->text, used, " is ");
		used = append(reply->text, sizeof reply->text, used,
			      decimal((int)limit.rlim_cur, digits));
		used = append(reply->text, sizeof reply->text, used, ")");
		if (!reply->pointer[0])
			append(reply->pointer, sizeof reply->pointer, 0, "/process/rlimits");
	}
}

static int fill(struct init_reply *reply, const char *pointer, int errnum, const char *fmt,
		va_list args)
{
	reply->version = INIT_VERSION;
	reply->status = errnum;
	reply->pointer[0] = '\0';
	append(reply->pointer, sizeof reply->pointer, 0, pointer);
	format(reply->text, sizeof reply->text, fmt, args);
	explain_limit(reply, errnum);
	return -1;
}

int reply_error(struct init_reply *reply, int errnum, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(reply, "", errnum, fmt, args);
	va_end(args);
	return -1;
}

int reply_error_at(struct init_reply *reply, const char *pointer, int errnum, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(reply, pointer, errnum, fmt, args);
	va_end(args);
	return -1;
}

_Noreturn void setup_fail(int control, int errnum, const char *fmt, ...)
{
	struct init_reply reply = {0};
	va_list args;

	va_start(args, fmt);
	fill(&reply, "", errnum, fmt, args);
	va_end(args);
	send_reply(control, &reply, -1);
	_exit(1);
}

int reply_point(struct init_reply *reply, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format(reply->pointer, sizeof reply->pointer, fmt, args);
	va_end(args);
	return -1;
}
