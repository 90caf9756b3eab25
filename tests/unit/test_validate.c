#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_pointer.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/spec.h"
#include "oci/validate.h"

static const char base[] =
	"{"
	"\"ociVersion\": \"1.3.0\","
	"\"root\": {\"path\": \"rootfs\", \"readonly\": true},"
	"\"hostname\": \"box\","
	"\"process\": {"
	"  \"user\": {\"uid\": 0, \"gid\": 0}, \"args\": [\"sh\"], \"cwd\": \"/\","
	"  \"env\": [\"PATH=/bin\"], \"capabilities\": {\"bounding\": [\"CAP_KILL\"]},"
	"  \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 1024, \"hard\": 1024}]},"
	"\"hooks\": {},"
	"\"mounts\": ["
	"  {\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"},"
	"  {\"destination\": \"/data\", \"source\": \"/srv\", \"options\": [\"rbind\"]},"
	"  {\"destination\": \"/dev\", \"type\": \"tmpfs\","
	"   \"options\": [\"nosuid\", \"size=64k\", \"mode=755\"]}],"
	"\"linux\": {"
	"  \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"mount\"}, {\"type\": \"uts\"},"
	"    {\"type\": \"network\"}, {\"type\": \"ipc\"}],"
	"  \"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},"
	"  \"maskedPaths\": [\"/proc/kcore\"], \"readonlyPaths\": [\"/proc/sys\"],"
	"  \"uidMappings\": [], \"gidMappings\": []},"
	"\"annotations\": {\"org.example.x\": \"\"}"
	"}";

static struct json_object *parse(const char *text)
{
	own_err struct oci_err err = ERR_INIT;
	struct json_object *value = json_parse(text, strlen(text), "test", &err);

	if (!value)
		fail_msg("%s: %s", text, err.message);
	return value;
}

/* "null" takes the property away; an index behind the end of an array adds to it. */
static void set(struct json_object **config, const char *pointer, const char *value)
{
	own_ptr char *path = strdup(pointer);
	char *key = strrchr(path, '/');
	struct json_object *parent;

	*key++ = '\0';
	if (json_pointer_get(*config, path, &parent) < 0)
		fail_msg("cannot set %s", pointer);
	if (json_object_is_type(parent, json_type_array))
		json_object_array_put_idx(parent, strtoul(key, NULL, 10), parse(value));
	else if (strcmp(value, "null") == 0)
		json_object_object_del(parent, key);
	else
		json_object_object_add(parent, key, parse(value));
}

/* The base with up to three changes: pairs of a pointer and a value, then NULL. */
static struct json_object *changed(va_list args)
{
	struct json_object *config = parse(base);

	for (const char *pointer = va_arg(args, const char *); pointer;
	     pointer = va_arg(args, const char *))
		set(&config, pointer, va_arg(args, const char *));
	return config;
}

static void print_findings(const struct findings *found)
{
	for (size_t i = 0; i < found->n; i++)
		fprintf(stderr, "  %s: %s: %s (%s)\n",
			found->items[i].severity == FINDING_ERROR ? "error" : "warning",
			found->items[i].pointer, found->items[i].message,
			found->items[i].hint ? found->items[i].hint : "no hint");
}

static const struct finding *find(const struct findings *found, enum finding_severity severity,
				  const char *pointer, const char *message)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->items[i].severity == severity &&
		    strcmp(found->items[i].pointer, pointer) == 0 &&
		    strstr(found->items[i].message, message))
			return &found->items[i];
	print_findings(found);
	fail_msg("no \"%s: ...%s\"", pointer, message);
	return NULL;
}

/* Exactly one error, and it is this one. */
__attribute__((sentinel)) static void error(const char *pointer, const char *message, ...)
{
	own_findings struct findings found = {0};
	own_json struct json_object *config = NULL;
	va_list args;

	va_start(args, message);
	config = changed(args);
	va_end(args);
	validate_config(config, &found);
	find(&found, FINDING_ERROR, pointer, message);
	if (found.n_errors != 1) {
		print_findings(&found);
		fail_msg("%zu errors", found.n_errors);
	}
}

__attribute__((sentinel)) static void warning(const char *pointer, const char *message, ...)
{
	own_findings struct findings found = {0};
	own_json struct json_object *config = NULL;
	va_list args;

	va_start(args, message);
	config = changed(args);
	va_end(args);
	validate_config(config, &found);
	find(&found, FINDING_WARNING, pointer, message);
	assert_int_equal(found.n_errors, 0);
	assert_int_equal(found.n_warnings, 1);
}

__attribute__((sentinel)) static void fine(const char *pointer, const char *value, ...)
{
	own_findings struct findings found = {0};
	own_json struct json_object *config = NULL;
	va_list args;

	va_start(args, value);
	config = changed(args);
	va_end(args);
	set(&config, pointer, value);
	validate_config(config, &found);
	if (found.n) {
		print_findings(&found);
		fail_msg("%s = %s", pointer, value);
	}
}

#define ERROR(pointer, message, ...) error(pointer, message, __VA_ARGS__, NULL)
/* The value that is set is the value that is wrong. */
#define WRONG(pointer, value, message) error(pointer, message, pointer, value, NULL)
#define WARNING(pointer, message, ...) warning(pointer, message, __VA_ARGS__, NULL)
#define FINE(pointer, value) fine(pointer, value, NULL)

static void test_base(void **state)
{
	(void)state;
	FINE("/hostname", "\"other\"");
}

static void test_required(void **state)
{
	static const char required[] = "is required, but it is not there";

	(void)state;
	WRONG("/ociVersion", "null", required);
	WRONG("/root", "null", required);
	WRONG("/root/path", "null", required);
	WRONG("/process/cwd", "null", required);
	WRONG("/process/args", "null", required);
	WRONG("/process/args", "[]", "must have at least one entry");
	WRONG("/process/args/0", "\"\"", "program's name is empty");
	WRONG("/process/user/uid", "null", required);
	WRONG("/process/user/gid", "null", required);
	WRONG("/mounts/0/destination", "null", required);
	WRONG("/process/rlimits/0/soft", "null", required);
	WRONG("/linux/namespaces/0/type", "null", required);
	WRONG("/linux/resources/devices/0/allow", "null", required);
	WRONG("/root/path", "\"\"", "must not be empty");
	FINE("/process", "null");
	FINE("/process/user", "null");
	FINE("/hooks", "null");
}

static void test_null_is_not_there(void **state)
{
	own_json struct json_object *config = parse(base);
	own_findings struct findings found = {0};

	(void)state;
	json_object_object_add(config, "hooks", NULL);
	json_object_object_add(json_member(config, "process"), "cwd", NULL);
	json_object_array_put_idx(json_path(config, "process", "args", NULL), 1, NULL);
	validate_config(config, &found);
	assert_int_equal(found.n_errors, 2);
	find(&found, FINDING_ERROR, "/process/cwd", "is required");
	find(&found, FINDING_ERROR, "/process/args/1", "must be a string");
}

static void test_types(void **state)
{
	(void)state;
	WRONG("/process", "[]", "must be an object, not an array");
	WRONG("/process/args", "\"sh\"", "must be an array, not the string \"sh\"");
	WRONG("/process/args/0", "1", "must be a string, not the number 1");
	WRONG("/process/env", "{}", "must be an array, not an object");
	WRONG("/process/terminal", "\"true\"", "must be a boolean, not the string \"true\"");
	WRONG("/process/terminal", "1", "must be a boolean");
	WRONG("/mounts", "{}", "must be an array");
	WRONG("/mounts/0", "\"/proc\"", "must be an object");
	WRONG("/mounts/1/options", "\"rbind\"", "must be an array");
	WRONG("/linux", "true", "must be an object");
	WRONG("/linux/namespaces", "\"pid\"", "must be an array");
	WRONG("/annotations", "[]", "must be an object");
	WRONG("/annotations/x", "1", "must be a string");
	WRONG("/annotations/x", "{}", "must be a string, not an object");
	WRONG("/linux/sysctl", "[]", "must be an object");
	WRONG("/linux/seccomp", "\"unconfined\"", "must be an object");
	WRONG("/hooks", "[]", "must be an object");
	WRONG("/hooks/prestart", "{}", "must be an array");
}

static void test_document_is_no_object(void **state)
{
	static const char *const texts[] = {"[]", "1", "\"x\"", "true"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		own_findings struct findings found = {0};
		own_json struct json_object *config = parse(texts[i]);

		validate_config(config, &found);
		assert_int_equal(found.n_errors, 1);
		find(&found, FINDING_ERROR, "", "must be an object");
	}
}

static void test_integers(void **state)
{
	static const char uid[] = "/process/user/uid";

	(void)state;
	FINE(uid, "4294967294");
	FINE(uid, "0");
	WRONG(uid, "4294967295", "out of range: 0 to 4294967294");
	WRONG(uid, "4294967296", "out of range");
	WRONG(uid, "18446744073709551615", "out of range");
	WRONG(uid, "-1", "-1 is out of range");
	WRONG(uid, "1e3", "must be an integer, not 1e3");
	WRONG(uid, "0.9", "must be an integer, not 0.9");
	WRONG(uid, "1.0", "must be an integer, not 1.0");
	WRONG(uid, "\"1000\"", "must be an integer, not the string \"1000\"");
	WRONG(uid, "true", "must be an integer, not the boolean true");
	WRONG("/process/user/additionalGids", "{}", "must be an array");
	ERROR("/process/user/additionalGids/1", "out of range", "/process/user/additionalGids",
	      "[5, 4294967295]");
	WRONG("/process/user/umask", "512", "out of range: 0 to 511");
	WRONG("/process/oomScoreAdj", "1001", "out of range: -1000 to 1000");
	WRONG("/process/oomScoreAdj", "-1001", "out of range");
	FINE("/process/oomScoreAdj", "-1000");
	FINE("/process/rlimits/0/hard", "18446744073709551615");
	FINE("/linux/resources/cpu", "{\"shares\": 18446744073709551615, \"quota\": -1}");
	ERROR("/linux/resources/cpu/quota", "out of range", "/linux/resources/cpu",
	      "{\"quota\": 9223372036854775808}");
	FINE("/linux/resources/memory", "{\"limit\": -1, \"swap\": -1}");
	ERROR("/linux/resources/memory/limit", "out of range", "/linux/resources/memory",
	      "{\"limit\": -2}");
	ERROR("/linux/resources/memory/swappiness", "out of range: 0 to 100",
	      "/linux/resources/memory", "{\"swappiness\": 101}");
}

static const struct finding *only(struct json_object *config, struct findings *found)
{
	validate_config(config, found);
	assert_int_equal(found->n, 1);
	return &found->items[0];
}

static void test_unknown_properties(void **state)
{
	own_json struct json_object *config = parse(base);
	own_findings struct findings found = {0};

	(void)state;
	WARNING("/nothing", "no such property in OCI runtime-spec 1.3, ignored", "/nothing", "1");
	WARNING("/process/user/UID", "no such property", "/process/user/UID", "1000");
	WARNING("/mounts/0/a~01b~00", "no such property", "/mounts/0/a~1b~0", "{\"x\": []}");
	json_object_object_add(config, "procces", json_object_new_int(1));
	assert_string_equal(only(config, &found)->hint, "did you mean \"process\"?");
	assert_int_equal(found.items[0].at, AT_KEY);
}

static void test_other_platforms(void **state)
{
	(void)state;
	WARNING("/windows", "another platform", "/windows", "{\"layerFolders\": 1}");
	WARNING("/solaris", "another platform", "/solaris", "\"\"");
	WARNING("/process/commandLine", "another platform", "/process/commandLine", "\"x\"");
}

static void test_versions(void **state)
{
	static const char pointer[] = "/ociVersion";

	(void)state;
	FINE(pointer, "\"1.0.0\"");
	FINE(pointer, "\"1.0.0-rc5-dev\"");
	FINE(pointer, "\"1.0.2-dev\"");
	FINE(pointer, "\"1.2.1+build.5\"");
	FINE(pointer, "\"1.3.99-rc.1+x-y\"");
	WARNING(pointer, "newer", pointer, "\"1.4.0\"");
	WARNING(pointer, "newer", pointer, "\"1.10.0\"");
	WRONG(pointer, "\"2.0.0\"", "major version must be 1");
	WRONG(pointer, "\"0.1.0\"", "major version must be 1");
	WRONG(pointer, "\"10.0.0\"", "major version must be 1");
	WRONG(pointer, "\"1.0\"", "no version");
	WRONG(pointer, "\"1\"", "no version");
	WRONG(pointer, "\"\"", "no version");
	WRONG(pointer, "\"v1.0.0\"", "no version");
	WRONG(pointer, "\"1.0.00\"", "no version");
	WRONG(pointer, "\"1.0.0-\"", "no version");
	WRONG(pointer, "\"1.0.0 \"", "no version");
	WRONG(pointer, "1", "must be a string");
}

static void test_process(void **state)
{
	(void)state;
	WRONG("/process/cwd", "\"rel\"", "\"rel\" is no absolute path");
	WRONG("/process/cwd", "\"\"", "no absolute path");
	WARNING("/process/env/0", "has no \"=\"", "/process/env/0", "\"PATH\"");
	WARNING("/process/env/0", "no name", "/process/env/0", "\"=x\"");
	FINE("/process/env/0", "\"EMPTY=\"");
	FINE("/process/args", "[\"sh\", \"\"]");
	WARNING("/process/capabilities/bounding/0", "\"CAP_KIL\" is not known, ignored",
		"/process/capabilities/bounding/0", "\"CAP_KIL\"");
	WRONG("/process/rlimits/0/type", "\"RLIMIT_NOFILES\"", "is none of RLIMIT_AS, RLIMIT_CORE");
	WRONG("/process/rlimits/0/soft", "1025", "above the hard limit");
	ERROR("/process/rlimits/1/type", "there twice: first in /process/rlimits/0",
	      "/process/rlimits/1", "{\"type\": \"RLIMIT_NOFILE\", \"soft\": 0, \"hard\": 0}");
	FINE("/process/consoleSize", "{\"height\": 100000, \"width\": 1}");
	ERROR("/process/consoleSize/height", "out of range", "/process/consoleSize",
	      "{\"height\": 100000, \"width\": 1}", "/process/terminal", "true");
}

static void test_scheduling(void **state)
{
	static const char pointer[] = "/process/scheduler";

	(void)state;
	FINE("/process/ioPriority", "{\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 7}");
	ERROR("/process/ioPriority/priority", "out of range: 0 to 7", "/process/ioPriority",
	      "{\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 8}");
	ERROR("/process/ioPriority/class", "is none of", "/process/ioPriority",
	      "{\"class\": \"BE\", \"priority\": 0}");
	FINE(pointer, "{\"policy\": \"SCHED_OTHER\", \"nice\": -20}");
	FINE(pointer, "{\"policy\": \"SCHED_FIFO\", \"priority\": 99}");
	FINE(pointer, "{\"policy\": \"SCHED_DEADLINE\", \"runtime\": 1, \"deadline\": 2,"
		      "\"period\": 3}");
	ERROR("/process/scheduler/nice", "out of range: -20 to 19", pointer,
	      "{\"policy\": \"SCHED_OTHER\", \"nice\": 20}");
	ERROR("/process/scheduler/priority", "must be 1 to 99", pointer,
	      "{\"policy\": \"SCHED_RR\"}");
	ERROR("/process/scheduler/priority", "must be 0", pointer,
	      "{\"policy\": \"SCHED_BATCH\", \"priority\": 1}");
	ERROR(pointer, "needs 0 < runtime <= deadline <= period", pointer,
	      "{\"policy\": \"SCHED_DEADLINE\", \"runtime\": 3, \"deadline\": 2, \"period\": 5}");
	ERROR(pointer, "are for SCHED_DEADLINE", pointer,
	      "{\"policy\": \"SCHED_OTHER\", \"runtime\": 3}");
	ERROR("/process/scheduler/policy", "reserved", pointer, "{\"policy\": \"SCHED_ISO\"}");
	ERROR("/process/scheduler/flags/0", "is none of", pointer,
	      "{\"policy\": \"SCHED_OTHER\", \"flags\": [\"X\"]}");
}

static void test_hooks(void **state)
{
	static const char *const kinds[] = {"prestart",	      "createRuntime", "createContainer",
					    "startContainer", "poststart",     "poststop"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char list[64], at[64];

		snprintf(list, sizeof list, "/hooks/%s", kinds[i]);
		FINE(list,
		     "[{\"path\": \"/x\", \"args\": [], \"env\": [\"a=b\"], \"timeout\": 1}]");
		snprintf(at, sizeof at, "/hooks/%s/0/path", kinds[i]);
		ERROR(at, "is no absolute path", list, "[{\"path\": \"x\"}]");
		ERROR(at, "is required", list, "[{}]");
		snprintf(at, sizeof at, "/hooks/%s/0/timeout", kinds[i]);
		ERROR(at, "0 is out of range: 1 to", list, "[{\"path\": \"/x\", \"timeout\": 0}]");
	}
}

static void test_namespaces(void **state)
{
	(void)state;
	ERROR("/linux/namespaces/5/type", "is none of mount, pid,", "/linux/namespaces/5",
	      "{\"type\": \"usr\"}");
	ERROR("/linux/namespaces/5/type", "\"pid\" is there twice: first in /linux/namespaces/0",
	      "/linux/namespaces/5", "{\"type\": \"pid\", \"path\": \"/x\"}");
	WRONG("/linux/namespaces/0/path", "\"proc/1/ns/pid\"", "is no absolute path");
	FINE("/linux/namespaces/0/path", "\"\"");
	FINE("/linux/namespaces/0/path", "\"/proc/1/ns/pid\"");
	ERROR("/hostname", "has no UTS namespace", "/linux/namespaces/2", "{\"type\": \"cgroup\"}");
	ERROR("/domainname", "has no UTS namespace", "/linux/namespaces/2",
	      "{\"type\": \"cgroup\"}", "/hostname", "null", "/domainname", "\"d\"");
	fine("/linux/namespaces/2", "{\"type\": \"uts\", \"path\": \"/n\"}", NULL);
	WRONG("/hostname", "\"0123456789012345678901234567890123456789012345678901234567890123x\"",
	      "longer than 64");
	WRONG("/hostname", "\"a\\nb\"", "contains a line break");
}

static const char user_ns[] = "{\"type\": \"user\"}";
static const char mapping[] = "[{\"containerID\": 0, \"hostID\": 1000, \"size\": 10}]";

static void test_id_mappings(void **state)
{
	static const char ns[] = "/linux/namespaces/5";
	static const char uids[] = "/linux/uidMappings", gids[] = "/linux/gidMappings";

	(void)state;
	ERROR(uids, "has no user namespace", uids, mapping);
	fine(uids, mapping, ns, user_ns, gids, mapping, NULL);
	ERROR(gids, "is required for a new user namespace", ns, user_ns, uids, mapping);
	fine(ns, "{\"type\": \"user\", \"path\": \"/n\"}", NULL);
	fine(ns, "{\"type\": \"user\", \"path\": \"/n\"}", uids, mapping, gids, mapping, NULL);
	ERROR("/linux/uidMappings/0/size", "0 is out of range: 1", ns, user_ns, gids, mapping, uids,
	      "[{\"containerID\": 0, \"hostID\": 1, \"size\": 0},"
	      " {\"containerID\": 0, \"hostID\": 2, \"size\": 1}]");
	ERROR("/linux/uidMappings/1/containerID", "overlaps that of /linux/uidMappings/0", ns,
	      user_ns, gids, mapping, uids,
	      "[{\"containerID\": 0, \"hostID\": 1, \"size\": 10},"
	      " {\"containerID\": 9, \"hostID\": 50, \"size\": 10}]");
	ERROR("/linux/uidMappings/1/hostID", "overlaps", ns, user_ns, gids, mapping, uids,
	      "[{\"containerID\": 0, \"hostID\": 5, \"size\": 10},"
	      " {\"containerID\": 10, \"hostID\": 0, \"size\": 6}]");
	fine(uids,
	     "[{\"containerID\": 0, \"hostID\": 5, \"size\": 10},"
	     " {\"containerID\": 10, \"hostID\": 0, \"size\": 5}]",
	     ns, user_ns, gids, mapping, NULL);
	ERROR("/linux/uidMappings/0/hostID", "ends beyond the largest id", ns, user_ns, gids,
	      mapping, uids, "[{\"containerID\": 0, \"hostID\": 4294967295, \"size\": 2}]");
	ERROR("/process/user/uid", "10 is not mapped", ns, user_ns, uids, mapping, gids, mapping,
	      "/process/user/uid", "10");
	ERROR("/process/user/additionalGids/1", "10 is not mapped", ns, user_ns, uids, mapping,
	      gids, mapping, "/process/user/additionalGids", "[9, 10]");
}

static void test_mount_namespace(void **state)
{
	static const char ns[] = "/linux/namespaces/1";
	static const char *const pointers[] = {"/mounts", "/root/readonly", "/linux/maskedPaths",
					       "/linux/readonlyPaths"};
	static const char *const others[] = {"{\"type\": \"cgroup\"}",
					     "{\"type\": \"mount\", \"path\": \"/n\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		own_json struct json_object *config = parse(base);
		own_findings struct findings found = {0};

		set(&config, ns, others[i]);
		validate_config(config, &found);
		assert_int_equal(found.n_errors, ARRAY_SIZE(pointers));
		for (size_t j = 0; j < ARRAY_SIZE(pointers); j++)
			find(&found, FINDING_ERROR, pointers[j],
			     i ? "the mount namespace is another's" : "has no mount namespace");
	}
	ERROR("/linux/rootfsPropagation", "has no mount namespace", ns, "{\"type\": \"cgroup\"}",
	      "/mounts", "[]", "/root/readonly", "false", "/linux/maskedPaths", "null",
	      "/linux/readonlyPaths", "null", "/linux/rootfsPropagation", "\"slave\"");
	FINE("/linux/rootfsPropagation", "\"rslave\"");
	WRONG("/linux/rootfsPropagation", "\"slaves\"", "is none of");
}

static void test_mounts(void **state)
{
	own_json struct json_object *config = parse(base);
	own_findings struct findings found = {0};

	(void)state;
	WRONG("/mounts/1/source", "null", "is required for a bind mount");
	WRONG("/mounts/2/type", "null", "is required for what is no bind mount");
	WRONG("/mounts/0/destination", "\"\"", "must not be empty");
	WARNING("/mounts/0/destination", "deprecated", "/mounts/0/destination", "\"proc\"");
	WRONG("/mounts/1/options/1", "\"foo\"", "foo");
	WRONG("/mounts/2/options/0", "\"a,b\"", "comma");
	WRONG("/mounts/2/options/0", "\"\"", "empty");
	WRONG("/mounts/1/options/1", "1", "must be a string");
	FINE("/mounts/2/options/0", "\"nr_inodes=5\"");
	set(&config, "/mounts/2/options/0", "\"strictatme\"");
	assert_string_equal(only(config, &found)->hint, "did you mean \"strictatime\"?");
	assert_string_equal(found.items[0].pointer, "/mounts/2/options/0");
}

static void test_id_mapped_mounts(void **state)
{
	static const char options[] = "/mounts/1/options", uids[] = "/mounts/1/uidMappings";

	(void)state;
	ERROR(options, "needs uidMappings and gidMappings", options, "[\"rbind\", \"idmap\"]");
	fine(options, "[\"rbind\", \"ridmap\"]", uids, mapping, "/mounts/1/gidMappings", mapping,
	     NULL);
	fine(options, "[\"rbind\", \"idmap\"]", "/linux/namespaces/5", user_ns,
	     "/linux/uidMappings", mapping, "/linux/gidMappings", mapping, NULL);
	ERROR("/mounts/1/gidMappings", "is required along with uidMappings", uids, mapping);
	ERROR("/mounts/1/uidMappings", "is required along with gidMappings",
	      "/mounts/1/gidMappings", mapping);
	ERROR("/mounts/1/uidMappings/1/containerID", "overlaps", "/mounts/1/gidMappings", mapping,
	      uids,
	      "[{\"containerID\": 0, \"hostID\": 1, \"size\": 10},"
	      " {\"containerID\": 9, \"hostID\": 50, \"size\": 10}]");
}

static void test_time(void **state)
{
	static const char offsets[] = "/linux/timeOffsets", ns[] = "/linux/namespaces/5";
	static const char value[] = "{\"boottime\": {\"secs\": -5, \"nanosecs\": 999999999}}";

	(void)state;
	fine(offsets, value, ns, "{\"type\": \"time\"}", NULL);
	FINE(offsets, "{}");
	ERROR(offsets, "has no time namespace", offsets, value);
	ERROR(offsets, "is joined", offsets, value, ns, "{\"type\": \"time\", \"path\": \"/n\"}");
	ERROR("/linux/timeOffsets/realtime", "is no clock", offsets, "{\"realtime\": {}}", ns,
	      "{\"type\": \"time\"}");
	ERROR("/linux/timeOffsets/boottime/nanosecs", "out of range", offsets,
	      "{\"boottime\": {\"nanosecs\": 1000000000}}", ns, "{\"type\": \"time\"}");
}

static void sysctl(const char *key, const char *problem, const char *ns)
{
	own_json struct json_object *config = parse(base);
	own_findings struct findings found = {0};
	struct json_object *map = json_object_new_object();

	json_object_object_add(map, key, json_object_new_string("1"));
	json_object_object_add(json_member(config, "linux"), "sysctl", map);
	if (ns)
		set(&config, ns, "{\"type\": \"cgroup\"}");
	validate_config(config, &found);
	if (!problem ? found.n : found.n_errors != 1 || !strstr(found.items[0].message, problem)) {
		print_findings(&found);
		fail_msg("%s, not \"%s\"", key, problem ? problem : "nothing");
	}
}

static void test_sysctl(void **state)
{
	static const char *const ipc[] = {
		"kernel.msgmax", "kernel.msgmnb",	   "kernel.msgmni",
		"kernel.sem",	 "kernel.shmall",	   "kernel.shmmax",
		"kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.x"};
	static const char *const others[] = {"kernel.core_pattern",
					     "vm.swappiness",
					     "kernel.shm",
					     "fs.file-max",
					     "kernel",
					     "kernel.msgmax.x",
					     "net",
					     "user.max_net_namespaces",
					     "fs/mqueue"};
	static const char *const odd[] = {"",
					  ".",
					  "..",
					  "../x",
					  "net..x",
					  "net.ipv4.",
					  ".net.ipv4",
					  "net/../kernel/x",
					  "net.ipv4/../x",
					  "net/ipv4/../../kernel/core_pattern",
					  "net.a b",
					  "net.a\n",
					  "net.\xc3\xa4",
					  "net.*"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++) {
		sysctl(ipc[i], NULL, NULL);
		sysctl(ipc[i], "needs an ipc namespace", "/linux/namespaces/4");
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		sysctl(others[i], "the whole machine's", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		own_json struct json_object *config = parse(base);
		own_findings struct findings found = {0};
		struct json_object *map = json_object_new_object();

		json_object_object_add(map, odd[i], json_object_new_string("1"));
		json_object_object_add(json_member(config, "linux"), "sysctl", map);
		validate_config(config, &found);
		if (!found.n_errors)
			fail_msg("accepted: \"%s\"", odd[i]);
	}
	sysctl("net.ipv4.ip_forward", NULL, NULL);
	sysctl("net/ipv4/conf/eth0.1/forwarding", NULL, NULL);
	sysctl("net.ipv4.conf.eth0/1.forwarding", NULL, NULL);
	sysctl("net.ipv4.ip_forward", "needs a network namespace", "/linux/namespaces/3");
	sysctl("kernel.domainname", NULL, NULL);
	sysctl("kernel.hostname", "contradicts /hostname", NULL);
	ERROR("/linux/sysctl/net.x", "must be a string", "/linux/sysctl", "{\"net.x\": 1}");
	ERROR("/linux/sysctl/net.x", "line break", "/linux/sysctl", "{\"net.x\": \"1\\n2\"}");
	FINE("/linux/sysctl", "{\"net.x\": \"1\\t2 3\"}");
}

static void test_devices(void **state)
{
	static const char list[] = "/linux/devices", path[] = "/linux/devices/0/path";

	(void)state;
	FINE(list, "[{\"type\": \"c\", \"path\": \"/dev/x\", \"major\": 1, \"minor\": 3,"
		   "\"fileMode\": 438, \"uid\": 0, \"gid\": 0}]");
	FINE(list, "[{\"type\": \"p\", \"path\": \"/dev/fifo\"}]");
	ERROR("/linux/devices/0/major", "is required for a device of type \"u\"", list,
	      "[{\"type\": \"u\", \"path\": \"/dev/x\", \"minor\": 3}]");
	ERROR("/linux/devices/0/minor", "-1 is out of range: 0 to 1048575", list,
	      "[{\"type\": \"b\", \"path\": \"/dev/x\", \"major\": 1, \"minor\": -1}]");
	ERROR("/linux/devices/0/major", "4096 is out of range", list,
	      "[{\"type\": \"b\", \"path\": \"/dev/x\", \"major\": 4096, \"minor\": 1}]");
	ERROR("/linux/devices/0/type", "is none of c, b, u, p", list,
	      "[{\"type\": \"a\", \"path\": \"/dev/x\", \"major\": 1, \"minor\": 1}]");
	ERROR(path, "is no absolute path", list, "[{\"type\": \"p\", \"path\": \"dev/x\"}]");
	ERROR("/linux/devices/1/path", "is there twice", list,
	      "[{\"type\": \"p\", \"path\": \"/a\"}, {\"type\": \"p\", \"path\": \"/a\"}]");
	WARNING("/linux/devices/0/fileMode", "more than the permission bits", list,
		"[{\"type\": \"p\", \"path\": \"/a\", \"fileMode\": 8630}]");
	ERROR("/linux/devices/0/fileMode", "out of range", list,
	      "[{\"type\": \"p\", \"path\": \"/a\", \"fileMode\": 65536}]");
}

static void test_resources(void **state)
{
	static const char rules[] = "/linux/resources/devices";

	(void)state;
	WRONG("/linux/cgroupsPath", "\"/a/../b\"", "must not contain \"..\"");
	WRONG("/linux/cgroupsPath", "\"..\"", "must not contain \"..\"");
	WRONG("/linux/cgroupsPath", "\"/a\\nb\"", "line break");
	FINE("/linux/cgroupsPath", "\"/a..b/...\"");
	FINE("/linux/cgroupsPath", "\"system.slice:docker:0123\"");
	FINE(rules, "[{\"allow\": true, \"type\": \"c\", \"major\": -1, \"minor\": 3}]");
	ERROR("/linux/resources/devices/0/access", "other letters", rules,
	      "[{\"allow\": true, \"access\": \"rwx\"}]");
	ERROR("/linux/resources/devices/0/type", "is none of a, c, b", rules,
	      "[{\"allow\": true, \"type\": \"p\"}]");
	ERROR("/linux/resources/unified/..~1x", "is no plain file name", "/linux/resources/unified",
	      "{\"../x\": \"1\"}");
	ERROR("/linux/resources/unified/", "is no plain file name", "/linux/resources/unified",
	      "{\"\": \"1\"}");
	FINE("/linux/resources/unified", "{\"memory.high\": \"max\"}");
	ERROR("/linux/resources/hugepageLimits/0/pageSize", "is no page size",
	      "/linux/resources/hugepageLimits", "[{\"pageSize\": \"2mB\", \"limit\": 0}]");
	FINE("/linux/resources/hugepageLimits", "[{\"pageSize\": \"2MB\", \"limit\": 0}]");
	ERROR("/linux/resources/cpu/burst", "above the quota", "/linux/resources/cpu",
	      "{\"quota\": 10, \"burst\": 11}");
	ERROR("/linux/resources/cpu/cpus", "is no list", "/linux/resources/cpu",
	      "{\"cpus\": \"0-,3\"}");
	FINE("/linux/resources/cpu", "{\"cpus\": \"0-3,7\", \"mems\": \"\"}");
	ERROR("/linux/resources/memory/swap", "below the memory limit", "/linux/resources/memory",
	      "{\"limit\": 10, \"swap\": 9}");
	ERROR("/linux/resources/blockIO/weightDevice/0", "needs weight or leafWeight",
	      "/linux/resources/blockIO", "{\"weightDevice\": [{\"major\": 8, \"minor\": 0}]}");
	ERROR("/linux/resources/rdma/a~1b", "needs hcaHandles", "/linux/resources/rdma",
	      "{\"a/b\": {}}");
	ERROR("/linux/resources/pids/limit", "is required", "/linux/resources/pids", "{}");
}

static void test_seccomp(void **state)
{
	static const char pointer[] = "/linux/seccomp";

	(void)state;
	FINE(pointer,
	     "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,"
	     "\"architectures\": [\"SCMP_ARCH_X86_64\"],"
	     "\"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"], \"syscalls\": ["
	     "{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": ["
	     "{\"index\": 5, \"value\": 18446744073709551615, \"op\": \"SCMP_CMP_EQ\"}]}]}");
	ERROR("/linux/seccomp/defaultAction", "is required", pointer, "{}");
	ERROR("/linux/seccomp/defaultAction", "is none of", pointer, "{\"defaultAction\": \"X\"}");
	ERROR("/linux/seccomp/architectures/0", "is none of", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_PDP11\"]}");
	ERROR("/linux/seccomp/syscalls/0/names", "at least one", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [], \"action\": \"SCMP_ACT_LOG\"}]}");
	ERROR("/linux/seccomp/syscalls/0/args/0/index", "out of range: 0 to 5", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [\"x\"], \"action\": \"SCMP_ACT_LOG\", \"args\": ["
	      "{\"index\": 6, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}]}]}");
	ERROR("/linux/seccomp/syscalls/0/errnoRet", "SCMP_ACT_ALLOW returns no errno", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [\"x\"], \"action\": \"SCMP_ACT_ALLOW\", \"errnoRet\": 1}]}");
	ERROR("/linux/seccomp/defaultErrnoRet", "returns no errno", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_KILL\", \"defaultErrnoRet\": 1}");
	ERROR("/linux/seccomp/defaultAction", "cannot be the default", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}");
	ERROR("/linux/seccomp/listenerPath", "is required for SCMP_ACT_NOTIFY", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_NOTIFY\"}]}");
	ERROR("/linux/seccomp/listenerMetadata", "set without listenerPath", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerMetadata\": \"x\"}");
}

static void test_others(void **state)
{
	(void)state;
	ERROR("/annotations/", "must not be empty", "/annotations", "{\"\": \"x\"}");
	ERROR("/linux/intelRdt", "is not supported", "/linux/intelRdt", "{\"closID\": \"x\"}");
	ERROR("/linux/personality/flags/0", "is not supported", "/linux/personality",
	      "{\"domain\": \"LINUX\", \"flags\": [\"X\"]}");
	FINE("/linux/personality", "{\"domain\": \"LINUX32\"}");
	ERROR("/linux/memoryPolicy/nodes", "is required for MPOL_BIND", "/linux/memoryPolicy",
	      "{\"mode\": \"MPOL_BIND\"}");
	ERROR("/linux/memoryPolicy/nodes", "MPOL_LOCAL has no nodes", "/linux/memoryPolicy",
	      "{\"mode\": \"MPOL_LOCAL\", \"nodes\": \"0\"}");
	WRONG("/linux/maskedPaths/0", "\"proc\"", "is no absolute path");
	WRONG("/linux/readonlyPaths/0", "\"\"", "is no absolute path");
}

static void test_all_errors_at_once(void **state)
{
	own_json struct json_object *config = parse(base);
	own_findings struct findings found = {0};

	(void)state;
	set(&config, "/process/cwd", "\"x\"");
	set(&config, "/process/user/uid", "\"1\"");
	set(&config, "/root/path", "null");
	set(&config, "/linux/namespaces/2/type", "\"utc\"");
	validate_config(config, &found);
	assert_int_equal(found.n_errors, 5);
	find(&found, FINDING_ERROR, "/hostname", "UTS");
}

static void test_many_errors_are_counted(void **state)
{
	own_findings struct findings found = {0};
	own_json struct json_object *config = parse(base);
	struct json_object *list = json_object_new_array();

	(void)state;
	for (int i = 0; i < 5000; i++)
		json_object_array_add(list, json_object_new_int(i));
	json_object_object_add(json_member(config, "process"), "env", list);
	validate_config(config, &found);
	assert_int_equal(found.n_errors, 5000);
	assert_int_equal(found.n, FINDINGS_MAX);
}

/* ---- The table ------------------------------------------------------------------------------- */

static void test_table_is_a_tree(void **state)
{
	(void)state;
	assert_string_equal(spec_rows[0].pointer, "");
	for (size_t i = 1; i < spec_n_rows; i++) {
		const struct spec_row *row = &spec_rows[i], *at = &spec_rows[0];
		own_ptr char *path = strdup(row->pointer + 1);
		char *rest = path;

		for (char *key = strsep(&rest, "/"); key; key = strsep(&rest, "/")) {
			at = strcmp(key, "*") == 0 ? spec_item(at) : spec_member(at, key);
			if (!at)
				fail_msg("%s: \"%s\" is not found", row->pointer, key);
		}
		if (at != row)
			fail_msg("%s is there twice", row->pointer);
		if (strcmp(spec_key(row), "*") == 0 && !row->required)
			fail_msg("%s: an item that is null is no item", row->pointer);
		if ((row->type == SPEC_ARRAY || row->type == SPEC_MAP) &&
		    (!spec_item(row) || strcmp(spec_key(spec_item(row)), "*") != 0))
			fail_msg("%s: of what?", row->pointer);
		if (row->type >= SPEC_STRING && spec_first(row))
			fail_msg("%s has children", row->pointer);
		assert_true(row->stage || row->ignored || strstr(row->pointer, "/linux/"));
	}
}

static void test_words(void **state)
{
	(void)state;
	assert_non_null(spec_words("capabilities"));
	assert_string_equal(spec_words("namespaces")[0], "mount");
	assert_null(spec_words("x"));
}

/* ---- Reports --------------------------------------------------------------------------------- */

static void test_report(void **state)
{
	static const char text[] = "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"procces\": {},\n"
				   "\t\"root\": {\"path\": 1}\n}\n";
	own_json struct json_object *config = parse(text), *json = NULL;
	own_findings struct findings found = {0};
	own_ptr char *report = NULL;

	(void)state;
	validate_config(config, &found);
	finding_locate(&found, text, strlen(text));
	report = finding_report(&found, text, strlen(text), "web/config.json", false);
	assert_string_equal(
		report,
		"web/config.json:3:2: warning: /procces: no such property in OCI "
		"runtime-spec 1.3, ignored\n"
		"    3 |     \"procces\": {},\n"
		"      |     ^~~~~~~~~ did you mean \"process\"?\n"
		"web/config.json:4:19: error: /root/path: must be a string, not the number 1\n"
		"    4 |     \"root\": {\"path\": 1}\n"
		"      |                      ^\n"
		"1 error, 1 warning\n");
	json = finding_json(&found);
	assert_string_equal(
		json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE),
		"{\"valid\":false,\"errors\":1,\"warnings\":1,\"findings\":["
		"{\"severity\":\"warning\",\"pointer\":\"/procces\",\"line\":3,\"column\":2,"
		"\"message\":\"no such property in OCI runtime-spec 1.3, ignored\","
		"\"hint\":\"did you mean \\\"process\\\"?\"},"
		"{\"severity\":\"error\",\"pointer\":\"/root/path\",\"line\":4,\"column\":19,"
		"\"message\":\"must be a string, not the number 1\"}]}");
}

static void test_one_error_of_many(void **state)
{
	static const char text[] = "{\n\"root\": {\"path\": 1},\n\"mounts\": 5, \"x\": 1\n}\n";
	own_json struct json_object *config = parse(text);
	own_findings struct findings found = {0};
	own_err struct oci_err err = ERR_INIT;

	(void)state;
	validate_config(config, &found);
	assert_int_equal(finding_fail(&found, text, strlen(text), "c.json", &err), -1);
	assert_int_equal(err.fault, FAULT_CONFIG);
	assert_string_equal(err.pointer, "/ociVersion");
	assert_string_equal(err.message, "is required, but it is not there, at c.json:1:1 "
					 "(and 2 more errors)");
	assert_non_null(strstr(err.details, "3 errors, 1 warning\n"));
}

static void test_strange_texts_are_escaped(void **state)
{
	static const char text[] = "{\"ociVersion\": \"\\u001b[2J\\n\", \"\\u001b]0;x\": 1}";
	own_json struct json_object *config = parse(text);
	own_findings struct findings found = {0};
	own_ptr char *report = NULL;

	(void)state;
	validate_config(config, &found);
	finding_locate(&found, text, strlen(text));
	report = finding_report(&found, text, strlen(text), "c\033.json", false);
	assert_null(strchr(report, '\033'));
	assert_non_null(strstr(report, "/\\x1b]0;x: no such"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_null_is_not_there),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_document_is_no_object),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_unknown_properties),
		cmocka_unit_test(test_other_platforms),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_scheduling),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_id_mappings),
		cmocka_unit_test(test_mount_namespace),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_id_mapped_mounts),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_sysctl),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_all_errors_at_once),
		cmocka_unit_test(test_many_errors_are_counted),
		cmocka_unit_test(test_table_is_a_tree),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_one_error_of_many),
		cmocka_unit_test(test_strange_texts_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
