/* Resources and annotations as properties of systemd's units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/cgroup_systemd.h"

static struct json_object *parse(const char *text)
{
	own_err struct oci_err err = ERR_INIT;
	struct json_object *value = json_parse(text, strlen(text), "test", &err);

	assert_non_null(value);
	return value;
}

static void expect_limits(const char *resources, bool v2, enum cgroup_phase phase, const char *want)
{
	own_json struct json_object *r = parse(resources), *list = json_object_new_array();

	cgroup_systemd_limits(r, r, v2, phase, list);
	assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN), want);
}

static void limits(void **state)
{
	(void)state;
	expect_limits("{\"cpu\":{\"shares\":1024,\"quota\":50500}}", true, PHASE_CREATE,
		      "[[\"CPUWeight\",\"t\",100],[\"CPUQuotaPerSecUSec\",\"t\",510000]]");
	expect_limits("{\"cpu\":{\"shares\":1024,\"quota\":-1,\"cpus\":\"0\"}}", false,
		      PHASE_CREATE,
		      "[[\"CPUShares\",\"t\",1024],[\"CPUQuotaPerSecUSec\",\"t\","
		      "18446744073709551615]]");
	expect_limits("{\"cpu\":{\"cpus\":\"0-2,9\",\"mems\":\"1\"}}", true, PHASE_CREATE,
		      "[[\"AllowedCPUs\",\"ay\",[7,2]],[\"AllowedMemoryNodes\",\"ay\",[2]]]");
	expect_limits("{\"memory\":{\"limit\":10,\"swap\":15,\"reservation\":-1}}", true,
		      PHASE_UPDATE,
		      "[[\"MemoryMax\",\"t\",10],[\"MemoryLow\",\"t\",18446744073709551615],"
		      "[\"MemorySwapMax\",\"t\",5]]");
	expect_limits("{\"blockIO\":{\"weight\":500}}", false, PHASE_CREATE,
		      "[[\"BlockIOWeight\",\"t\",500]]");
	expect_limits(
		"{\"unified\":{\"cpu.max\":\"max 50000\",\"memory.oom.group\":\"1\",\"memory.low\":"
		"\"7\",\"cpu.idle\":\"1\",\"memory.zswap.max\":\"max\"}}",
		true, PHASE_CREATE,
		"[[\"CPUQuotaPeriodUSec\",\"t\",50000],[\"CPUQuotaPerSecUSec\",\"t\","
		"18446744073709551615],[\"MemoryLow\",\"t\",7],[\"CPUWeight\",\"t\",0,252],"
		"[\"MemoryZSwapMax\",\"t\",18446744073709551615,253]]");
}

static void devices_of_io(void **state)
{
	(void)state;
	expect_limits(
		"{\"unified\":{\"io.max\":\"8:0 rbps=1 wiops=max\\n8:16 riops=2\",\"io.weight\":"
		"\"default 50\\n8:0 7\",\"io.latency\":\"8:0 target=5\"}}",
		true, PHASE_CREATE,
		"[[\"IOReadBandwidthMax\",\"a(st)\",[[\"\\/dev\\/block\\/8:0\",1]]],"
		"[\"IOWriteIOPSMax\",\"a(st)\",[[\"\\/dev\\/block\\/8:0\","
		"18446744073709551615]]],"
		"[\"IOReadIOPSMax\",\"a(st)\",[[\"\\/dev\\/block\\/8:16\",2]]],"
		"[\"IODeviceWeight\",\"a(st)\",[[\"\\/dev\\/block\\/8:0\",7]]],"
		"[\"IODeviceLatencyTargetUSec\",\"a(st)\",[[\"\\/dev\\/block\\/8:0\",5]]]]");
	expect_limits("{\"blockIO\":{\"weight\":10,\"weightDevice\":[{\"major\":8,\"minor\":0,"
		      "\"weight\":1000},{\"major\":8,\"minor\":1,\"leafWeight\":10}],"
		      "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":0}],"
		      "\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":3}]}}",
		      false, PHASE_UPDATE,
		      "[[\"BlockIOWeight\",\"t\",10],[\"BlockIODeviceWeight\",\"a(st)\","
		      "[[\"\\/dev\\/block\\/8:0\",1000]]],[\"BlockIOReadBandwidth\",\"a(st)\","
		      "[[\"\\/dev\\/block\\/8:0\",18446744073709551615]]]]");
}

static void expect_change(const char *change, const char *whole, const char *want)
{
	own_json struct json_object *c = parse(change), *w = parse(whole);
	own_json struct json_object *list = json_object_new_array();

	cgroup_systemd_limits(c, w, true, PHASE_UPDATE, list);
	assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN), want);
}

static void changes(void **state)
{
	(void)state;
	expect_change(
		"{\"cpu\":{\"quota\":10000}}",
		"{\"cpu\":{\"quota\":10000,\"period\":50000,\"shares\":2}}",
		"[[\"CPUQuotaPeriodUSec\",\"t\",50000],[\"CPUQuotaPerSecUSec\",\"t\",200000]]");
	expect_change("{\"memory\":{\"limit\":10}}", "{\"memory\":{\"limit\":10,\"swap\":14}}",
		      "[[\"MemoryMax\",\"t\",10],[\"MemorySwapMax\",\"t\",4]]");
	expect_change("{\"cpu\":{\"shares\":4}}", "{\"cpu\":{\"shares\":4,\"idle\":1}}",
		      "[[\"CPUWeight\",\"t\",0,252]]");
	expect_change("{\"cpu\":{\"idle\":0}}", "{\"cpu\":{\"idle\":0}}",
		      "[[\"CPUWeight\",\"t\",100]]");
	expect_change("{\"pids\":{\"limit\":0}}", "{\"pids\":{\"limit\":0}}",
		      "[[\"TasksMax\",\"t\",1]]");
}

static void expect_devices(const char *resources, const char *first, size_t n)
{
	own_json struct json_object *r = parse(resources), *list = json_object_new_array();
	const struct json_object *allow;

	cgroup_systemd_devices(r, false, list);
	allow = json_item(json_item(list, 1), 2);
	assert_int_equal(json_length(allow), n);
	if (n)
		assert_string_equal(
			json_object_to_json_string_ext(json_item(allow, 0), JSON_C_TO_STRING_PLAIN),
			first);
}

static void devices(void **state)
{
	own_json struct json_object *none = json_object_new_array();
	size_t defaults;

	(void)state;
	cgroup_systemd_devices(NULL, false, none);
	defaults = json_length(json_item(json_item(none, 1), 2));
	assert_true(defaults > 5);
	expect_devices("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":1,"
		       "\"access\":\"rw\"}]}",
		       "[\"\\/dev\\/block\\/8:1\",\"rw\"]", defaults + 1);
	expect_devices("{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":10,"
		       "\"access\":\"r\"}]}",
		       "[\"char-10\",\"r\"]", defaults + 1);
	/* Not to be said in systemd's words. */
	expect_devices("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"minor\":1,"
		       "\"access\":\"r\"}]}",
		       NULL, 0);
	expect_devices("{\"devices\":[{\"allow\":true}]}", NULL, 0);
}

static void tasks(void **state)
{
	(void)state;
	expect_limits("{\"pids\":{\"limit\":2}}", true, PHASE_CREATE, "[[\"TasksMax\",\"t\",2]]");
	expect_limits("{\"pids\":{\"limit\":2}}", true, PHASE_SETTLE, "[]");
	expect_limits("{\"pids\":{\"limit\":0}}", true, PHASE_CREATE, "[]");
	expect_limits("{\"pids\":{\"limit\":0}}", true, PHASE_SETTLE, "[[\"TasksMax\",\"t\",1]]");
	expect_limits("{\"pids\":{\"limit\":1}}", true, PHASE_UPDATE, "[[\"TasksMax\",\"t\",1]]");
}

/* want NULL: refused, with a pointer to the annotation. */
static void expect_annotation(const char *name, const char *text, const char *want)
{
	own_json struct json_object *all = json_object_new_object(),
				    *list = json_object_new_array();
	own_err struct oci_err err = ERR_INIT;
	char key[128];
	int r;

	snprintf(key, sizeof key, "org.systemd.property.%s", name);
	json_object_object_add(all, key, json_object_new_string(text));
	json_object_object_add(all, "org.example", json_object_new_string("anything"));
	r = cgroup_systemd_annotations(all, list, &err);
	if (want) {
		assert_int_equal(r, 0);
		assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN),
				    want);
		return;
	}
	assert_int_equal(r, -1);
	assert_int_equal(err.fault, FAULT_CONFIG);
	assert_non_null(strstr(err.pointer, key));
}

static void annotations(void **state)
{
	(void)state;
	expect_annotation("TimeoutStopUSec", "uint64 5", "[[\"TimeoutStopUSec\",\"t\",5]]");
	expect_annotation("TimeoutStopSec", " 5 ", "[[\"TimeoutStopUSec\",\"t\",5000000]]");
	expect_annotation("CollectMode", "'a\\'b'", "[[\"CollectMode\",\"s\",\"a'b\"]]");
	expect_annotation("SendSIGHUP", "true", "[[\"SendSIGHUP\",\"b\",true]]");
	expect_annotation("After", "['a.service', \"b.service\"]",
			  "[[\"After\",\"as\",[\"a.service\",\"b.service\"]]]");
	expect_annotation("After", "@as []", "[[\"After\",\"as\",[]]]");
	expect_annotation("KillSignal", "int32 9", "[[\"KillSignal\",\"i\",9]]");
}

/* T-SDPROP */
static void dangerous(void **state)
{
	static const char *const names[] = {
		"ExecStopPost",
		"ExecStart",
		"Description",
		"Slice",
		"PIDs",
		"Delegate",
		"Wants",
		"Requires",
		"BindsTo",
		"OnFailure",
		"Id",
		"timeoutstopusec",
		"",
		"After ",
	};
	static const char *const values[] = {
		"",	"5 5", "-1", "\"5\"", "uint64",		"18446744073709551616",
		"true", "[5]", "5;", "int",   "uint64uint64 5", "0x",
	};
	static const char *const strings[] = {"'a", "a", "\"a'", "'a' 'b'", "'\\n'", "['a']", "5"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_annotation(names[i], "'x'", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		expect_annotation("TimeoutStopUSec", values[i], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		expect_annotation("CollectMode", strings[i], NULL);
	expect_annotation("After", "['a'", NULL);
	expect_annotation("After", "['a' 'b']", NULL);
	expect_annotation("After", "@ax []", NULL);
	expect_annotation("KillSignal", "2147483648", NULL);
	expect_annotation("AllowedCPUs", "[256]", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),    cmocka_unit_test(devices_of_io),
		cmocka_unit_test(changes),   cmocka_unit_test(devices),
		cmocka_unit_test(tasks),     cmocka_unit_test(annotations),
		cmocka_unit_test(dangerous),
	};

	return cmocka_run_group_tests_name("cgroup_systemd", tests, NULL, NULL);
}
