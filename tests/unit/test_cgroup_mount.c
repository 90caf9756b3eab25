#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/cgroup_mount.h"

static const char unified[] =
	"{\"mode\": \"unified\", \"path\": \"/a/b\","
	" \"hierarchies\": [{\"mount\": \"/sys/fs/cgroup\", \"version\": 2}]}";

static const char hybrid[] = "{\"mode\": \"hybrid\", \"path\": \"/a/b\", \"hierarchies\": ["
			     "{\"mount\": \"/sys/fs/cgroup/unified\", \"version\": 2},"
			     "{\"mount\": \"/sys/fs/cgroup/systemd\", \"version\": 1},"
			     "{\"mount\": \"/sys/fs/cgroup/cpu,cpuacct\", \"version\": 1}]}";

static const char unified_refused[] = "{\"mode\": \"unified\", \"hierarchies\": []}";
static const char none[] = "{\"mode\": \"none\", \"hierarchies\": []}";

static int plan_for(const char *record, const char *fstype, enum cgroup_namespace ns,
		    struct cgroup_mount_plan *plan, struct oci_err *err)
{
	own_json struct json_object *json = json_tokener_parse(record);

	assert_non_null(json);
	return cgroup_mount_plan(json, fstype, ns, plan, err);
}

static void assert_item(const struct cgroup_mount_plan *plan, size_t i, enum cgroup_mount_kind kind,
			const char *subpath, const char *source)
{
	assert_true(i < plan->n);
	assert_int_equal(plan->items[i].kind, kind);
	assert_string_equal(plan->items[i].subpath, subpath);
	if (source)
		assert_string_equal(plan->items[i].source, source);
	else
		assert_null(plan->items[i].source);
}

static void test_unified(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_mount_plan plan;

	(void)state;
	assert_int_equal(plan_for(unified, "cgroup", CGROUP_NAMESPACE_NONE, &plan, &err), 0);
	assert_false(plan.on_tmpfs);
	assert_int_equal(plan.n, 1);
	assert_item(&plan, 0, CGROUP_MOUNT_BIND, "", "/sys/fs/cgroup/a/b");
	cgroup_mount_free(&plan);

	assert_int_equal(plan_for(unified, "cgroup2", CGROUP_NAMESPACE_JOINED, &plan, &err), 0);
	assert_item(&plan, 0, CGROUP_MOUNT_SUPERBLOCK, "", NULL);
	assert_string_equal(plan.items[0].fstype, "cgroup2");
	cgroup_mount_free(&plan);
}

static void test_unified_without_rights(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_mount_plan plan;

	(void)state;
	assert_int_equal(plan_for(unified_refused, "cgroup", CGROUP_NAMESPACE_NEW, &plan, &err), 0);
	assert_item(&plan, 0, CGROUP_MOUNT_SUPERBLOCK, "", NULL);
	cgroup_mount_free(&plan);
	assert_int_equal(plan_for(unified_refused, "cgroup", CGROUP_NAMESPACE_NONE, &plan, &err),
			 0);
	assert_item(&plan, 0, CGROUP_MOUNT_BIND, "", "/sys/fs/cgroup");
	cgroup_mount_free(&plan);
}

static void test_hybrid(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_mount_plan plan;

	(void)state;
	assert_int_equal(plan_for(hybrid, "cgroup", CGROUP_NAMESPACE_NEW, &plan, &err), 0);
	assert_true(plan.on_tmpfs);
	assert_int_equal(plan.n, 5);
	assert_item(&plan, 0, CGROUP_MOUNT_BIND, "unified", "/sys/fs/cgroup/unified/a/b");
	assert_item(&plan, 1, CGROUP_MOUNT_BIND, "systemd", "/sys/fs/cgroup/systemd/a/b");
	assert_item(&plan, 2, CGROUP_MOUNT_BIND, "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/a/b");
	assert_item(&plan, 3, CGROUP_MOUNT_LINK, "cpu", "cpu,cpuacct");
	assert_item(&plan, 4, CGROUP_MOUNT_LINK, "cpuacct", "cpu,cpuacct");
	cgroup_mount_free(&plan);
}

static void test_hybrid_joined(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_mount_plan plan;

	(void)state;
	assert_int_equal(plan_for(hybrid, "cgroup", CGROUP_NAMESPACE_JOINED, &plan, &err), 0);
	assert_int_equal(plan.items[0].n_options, 0);
	assert_int_equal(plan.items[1].n_options, 1);
	assert_string_equal(plan.items[1].options[0], "name=systemd");
	assert_int_equal(plan.items[2].n_options, 2);
	assert_string_equal(plan.items[2].fstype, "cgroup");
	assert_string_equal(plan.items[2].options[0], "cpu");
	assert_string_equal(plan.items[2].options[1], "cpuacct");
	cgroup_mount_free(&plan);
	assert_int_equal(plan_for(hybrid, "cgroup2", CGROUP_NAMESPACE_NEW, &plan, &err), 0);
	assert_false(plan.on_tmpfs);
	assert_item(&plan, 0, CGROUP_MOUNT_BIND, "", "/sys/fs/cgroup/unified/a/b");
	cgroup_mount_free(&plan);
}

static void test_none(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_mount_plan plan;

	(void)state;
	assert_int_equal(plan_for(none, "cgroup", CGROUP_NAMESPACE_NEW, &plan, &err), -1);
	assert_int_equal(err.fault, FAULT_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unified), cmocka_unit_test(test_unified_without_rights),
		cmocka_unit_test(test_hybrid),	cmocka_unit_test(test_hybrid_joined),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
