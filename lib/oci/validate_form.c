#include "oci/validate_form.h"

#include <limits.h>
#include <string.h>

/* The kernel's __NEW_UTS_LEN and IFNAMSIZ less the NUL. */
enum { HOST_NAME_MAX_ = 64, INTERFACE_MAX = 15 };

static const char digits[] = "0123456789";
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Whether ".." is a component of a path. */
static bool has_parent(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || !p[2]))
			return true;
	return false;
}

static const char *not_empty(const char *text)
{
	return *text ? NULL : "must not be empty";
}

/* Tabs are between the numbers of some kernel parameters. */
static const char *line(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return "contains a line break or another control character";
	return NULL;
}

static const char *word(const char *text)
{
	if (!*text)
		return "must not be empty";
	return has_control(text) || strchr(text, ' ') ? "contains white space" : NULL;
}

static const char *file_name(const char *text)
{
	if (!*text || is_dots(text) || strchr(text, '/') || has_control(text))
		return "is no plain file name";
	return strlen(text) > NAME_MAX ? "is too long for a file name" : NULL;
}

static const char *absolute_path(const char *text)
{
	if (*text != '/')
		return "is no absolute path";
	return strlen(text) >= PATH_MAX ? "is too long for a path" : NULL;
}

static const char *destination(const char *text, bool *warning)
{
	if (!*text)
		return "must not be empty";
	if (strlen(text) >= PATH_MAX)
		return "is too long for a path";
	*warning = true;
	return *text == '/' ? NULL
			    : "is a relative path, which is deprecated; it is taken as one from /";
}

static const char *cgroup_path(const char *text)
{
	if (has_parent(text))
		return "must not contain \"..\"";
	if (has_control(text))
		return "contains a line break or another control character";
	return strlen(text) >= PATH_MAX ? "is too long for a path" : NULL;
}

static const char *environment(const char *text, bool *warning)
{
	*warning = true;
	if (*text == '=')
		return "has no name before the \"=\"";
	return strchr(text, '=') ? NULL : "has no \"=\": programs will not find it";
}

/* Skips a number without leading zeros; NULL: there is none. */
static const char *skip_number(const char *text)
{
	size_t n = strspn(text, digits);

	return n == 0 || (n > 1 && *text == '0') ? NULL : text + n;
}

/* Skips what follows - or + in a version: words of letters, digits and - with dots between. */
static const char *skip_words(const char *text)
{
	for (;;) {
		size_t n = 0;

		while (text[n] &&
		       (strchr(letters, text[n]) || strchr(digits, text[n]) || text[n] == '-'))
			n++;
		if (!n)
			return NULL;
		text += n;
		if (*text != '.')
			return text;
		text++;
	}
}

static const char *version(const char *text, bool *warning)
{
	static const char wrong[] = "is no version like 1.3.0 (semver.org)";
	const char *minor = skip_number(text), *patch, *end;

	if (!minor || *minor != '.')
		return wrong;
	patch = skip_number(minor + 1);
	if (!patch || *patch != '.')
		return wrong;
	end = skip_number(patch + 1);
	if (end && *end == '-')
		end = skip_words(end + 1);
	if (end && *end == '+')
		end = skip_words(end + 1);
	if (!end || *end)
		return wrong;
	if (strncmp(text, "1.", 2) != 0)
		return "is not supported: the major version must be 1";
	*warning = true;
	if (patch - minor > 2 || minor[1] > SPEC_VERSION[2])
		return "is newer than the " SPEC_VERSION " of this program, "
		       "which ignores what it does not know";
	return NULL;
}

/* Whether the number of n digits is above the other one. */
static bool is_above(const char *a, size_t n, const char *b, size_t m)
{
	for (; n > 1 && *a == '0'; a++)
		n--;
	for (; m > 1 && *b == '0'; b++)
		m--;
	return n != m ? n > m : strncmp(a, b, n) > 0;
}

static const char *number_list(const char *text)
{
	static const char reversed[] = "has a range that ends before it begins";
	static const char wrong[] = "is no list of numbers and ranges like 0-3,7";

	if (!*text)
		return NULL;
	for (const char *p = text;; p++) {
		const char *first;
		size_t n;

		p += strspn(p, " ");
		first = p;
		n = strspn(p, digits);
		if (n == 0)
			return wrong;
		p += n;
		if (*p == '-') {
			const size_t m = strspn(++p, digits);

			if (m == 0)
				return wrong;
			if (is_above(first, n, p, m))
				return reversed;
			p += m;
		}
		p += strspn(p, " ");
		if (!*p)
			return NULL;
		if (*p != ',')
			return wrong;
	}
}

static const char *page_size(const char *text)
{
	size_t n = strspn(text, digits);
	bool ok = n > 0 && *text != '0' && text[n] && strchr("KMG", text[n]) &&
		  strcmp(text + n + 1, "B") == 0;

	return ok ? NULL : "is no page size like 64KB, 2MB or 1GB";
}

static const char *host_name(const char *text)
{
	if (strlen(text) > HOST_NAME_MAX_)
		return "is longer than 64 bytes";
	return line(text);
}

static const char *interface(const char *text)
{
	if (!*text || is_dots(text) || strpbrk(text, "/: ") || has_control(text))
		return "is no name of a network device";
	return strlen(text) > INTERFACE_MAX ? "is longer than 15 bytes" : NULL;
}

static const char *device_access(const char *text)
{
	return text[strspn(text, "rwm")] ? "has other letters than r, w and m" : NULL;
}

/* Keys become paths beneath /proc/sys: nothing may lead out of there. */
static const char *sysctl(const char *text)
{
	static const char wrong[] = "is no name of a kernel parameter";
	char before = '.';

	for (const char *p = text; *p; p++) {
		bool separator = *p == '.' || *p == '/';

		if (separator && (before == '.' || before == '/'))
			return wrong;
		if (!separator && !strchr(letters, *p) && !strchr(digits, *p) &&
		    !strchr("_-:@", *p))
			return wrong;
		before = *p;
	}
	return before == '.' || before == '/' ? wrong : NULL;
}

static const char *clock_name(const char *text)
{
	if (strcmp(text, "boottime") == 0 || strcmp(text, "monotonic") == 0)
		return NULL;
	return "is no clock of a time namespace: boottime, monotonic";
}

static const char *class_of_service(const char *text)
{
	return strcmp(text, "/") == 0 ? NULL : file_name(text);
}

static const char *memory_bandwidth(const char *text)
{
	return strncmp(text, "MB:", 3) == 0 ? line(text) : "must begin with \"MB:\"";
}

const char *form_problem(enum spec_form form, const char *text, bool *ret_warning)
{
	*ret_warning = false;
	switch (form) {
	case FORM_NOT_EMPTY:
		return not_empty(text);
	case FORM_LINE:
		return line(text);
	case FORM_WORD:
		return word(text);
	case FORM_FILE_NAME:
		return file_name(text);
	case FORM_ABSOLUTE_PATH:
		return absolute_path(text);
	case FORM_ABSOLUTE_OR_EMPTY:
		return *text ? absolute_path(text) : NULL;
	case FORM_DESTINATION:
		return destination(text, ret_warning);
	case FORM_CGROUP_PATH:
		return cgroup_path(text);
	case FORM_ENVIRONMENT:
		return environment(text, ret_warning);
	case FORM_VERSION:
		return version(text, ret_warning);
	case FORM_NUMBER_LIST:
		return number_list(text);
	case FORM_PAGE_SIZE:
		return page_size(text);
	case FORM_HOST_NAME:
		return host_name(text);
	case FORM_INTERFACE:
		return interface(text);
	case FORM_DEVICE_ACCESS:
		return device_access(text);
	case FORM_SYSCTL:
		return sysctl(text);
	case FORM_CLOCK:
		return clock_name(text);
	case FORM_CLASS_OF_SERVICE:
		return class_of_service(text);
	case FORM_MEMORY_BANDWIDTH:
		return memory_bandwidth(text);
	case FORM_PERSONALITY_FLAG:
		return "is not supported: there are no flags yet";
	}
	return NULL;
}
