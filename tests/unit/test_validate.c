/* The table: types, ranges, words, forms; the process and its rules. */
#include "validating.h"

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
	WRONG("/process/rlimits/0/type", "\"RLIMIT_NOFILES\"",
	      "is not one of RLIMIT_AS, RLIMIT_CORE");
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
	ERROR("/process/ioPriority/class", "is not one of", "/process/ioPriority",
	      "{\"class\": \"BE\", \"priority\": 0}");
	FINE(pointer, "{\"policy\": \"SCHED_OTHER\", \"nice\": -20}");
	FINE(pointer, "{\"policy\": \"SCHED_FIFO\", \"priority\": 99}");
	FINE(pointer, "{\"policy\": \"SCHED_DEADLINE\", \"runtime\": 1024, \"deadline\": 2000,"
		      "\"period\": 3000}");
	ERROR("/process/scheduler/nice", "out of range: -20 to 19", pointer,
	      "{\"policy\": \"SCHED_OTHER\", \"nice\": 20}");
	ERROR("/process/scheduler/priority", "must be 1 to 99", pointer,
	      "{\"policy\": \"SCHED_RR\"}");
	ERROR("/process/scheduler/priority", "must be 0", pointer,
	      "{\"policy\": \"SCHED_BATCH\", \"priority\": 1}");
	ERROR(pointer, "needs 1024 <= runtime <= deadline <= period", pointer,
	      "{\"policy\": \"SCHED_DEADLINE\", \"runtime\": 3000, \"deadline\": 2000, \"period\": "
	      "5000}");
	ERROR(pointer, "needs 1024 <= runtime", pointer,
	      "{\"policy\": \"SCHED_DEADLINE\", \"runtime\": 1023, \"deadline\": 2000}");
	ERROR(pointer, "period < 2^63", pointer,
	      "{\"policy\": \"SCHED_DEADLINE\", \"runtime\": 1024, \"deadline\": 2000,"
	      "\"period\": 9223372036854775808}");
	ERROR("/process/scheduler/flags/1", "SCHED_FLAG_RECLAIM is for SCHED_DEADLINE", pointer,
	      "{\"policy\": \"SCHED_IDLE\","
	      "\"flags\": [\"SCHED_FLAG_RESET_ON_FORK\", \"SCHED_FLAG_RECLAIM\"]}");
	ERROR("/process/scheduler/flags/0", "SCHED_BATCH would not be set", pointer,
	      "{\"policy\": \"SCHED_BATCH\", \"flags\": [\"SCHED_FLAG_KEEP_POLICY\"]}");
	ERROR("/process/scheduler/flags/0", "keeps the priority", pointer,
	      "{\"policy\": \"SCHED_OTHER\", \"nice\": 1, \"flags\": "
	      "[\"SCHED_FLAG_KEEP_PARAMS\"]}");
	FINE(pointer, "{\"policy\": \"SCHED_OTHER\", \"nice\": 1,"
		      "\"flags\": [\"SCHED_FLAG_KEEP_POLICY\"]}");
	FINE(pointer, "{\"policy\": \"SCHED_OTHER\", \"flags\": [\"SCHED_FLAG_KEEP_PARAMS\"]}");
	ERROR(pointer, "are for SCHED_DEADLINE", pointer,
	      "{\"policy\": \"SCHED_OTHER\", \"runtime\": 3}");
	ERROR("/process/scheduler/policy", "reserved", pointer, "{\"policy\": \"SCHED_ISO\"}");
	ERROR("/process/scheduler/flags/0", "is not one of", pointer,
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
		cmocka_unit_test(test_all_errors_at_once),
		cmocka_unit_test(test_many_errors_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
