/* The document of features.md, made of the tables that validation and the stages go by. */
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "host/host.h"
#include "oci/mountopt.h"
#include "oci/spec.h"

/* The Makefile says so if a helper program for systemd is built. */
#ifdef SYSTEMD_DRIVER
static const bool has_systemd = true;
#else
static const bool has_systemd = false;
#endif

static struct json_object *boolean(bool value)
{
	return json_object_new_boolean(value);
}

static struct json_object *one(const char *key, struct json_object *value)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, key, value);
	return o;
}

/* A list of spec.def. */
static struct json_object *words(const char *name)
{
	const char *const *list = spec_words(name);
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; list && list[i]; i++)
		json_object_array_add(array, json_object_new_string(list[i]));
	return array;
}

/* Whether somebody applies the property. */
static bool applied(const char *pointer)
{
	for (size_t i = 0; i < spec_n_rows; i++)
		if (strcmp(spec_rows[i].pointer, pointer) == 0)
			return spec_rows[i].stage != NULL;
	return false;
}

static struct json_object *hooks(void)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < spec_n_rows; i++) {
		const char *pointer = spec_rows[i].pointer;

		if (strncmp(pointer, "/hooks/", 7) == 0 && !strchr(pointer + 7, '/') &&
		    spec_rows[i].stage)
			json_object_array_add(array, json_object_new_string(pointer + 7));
	}
	return array;
}

static struct json_object *mount_options(void)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < mountopt_table_rows; i++)
		json_object_array_add(array, json_object_new_string(mountopt_table[i].name));
	return array;
}

static struct json_object *cgroup(void)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "v1", boolean(true));
	json_object_object_add(o, "v2", boolean(true));
	json_object_object_add(o, "systemd", boolean(has_systemd));
	json_object_object_add(o, "systemdUser", boolean(has_systemd));
	json_object_object_add(o, "rdma", boolean(applied("/linux/resources/rdma")));
	return o;
}

static struct json_object *supported_flags(void)
{
	const char *const *list = spec_words("seccomp_flags");
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; list[i]; i++)
		if (host_has_seccomp_flag(list[i]))
			json_object_array_add(array, json_object_new_string(list[i]));
	return array;
}

static struct json_object *seccomp(void)
{
	struct json_object *o = one("enabled", boolean(applied("/linux/seccomp")));

	json_object_object_add(o, "actions", words("seccomp_actions"));
	json_object_object_add(o, "operators", words("seccomp_operators"));
	json_object_object_add(o, "archs", words("seccomp_architectures"));
	json_object_object_add(o, "knownFlags", words("seccomp_flags"));
	json_object_object_add(o, "supportedFlags", supported_flags());
	return o;
}

static struct json_object *linux_features(void)
{
	struct json_object *o = json_object_new_object(), *part;

	json_object_object_add(o, "namespaces", words("namespaces"));
	json_object_object_add(o, "capabilities", words("capabilities"));
	json_object_object_add(o, "cgroup", cgroup());
	json_object_object_add(o, "seccomp", seccomp());
	json_object_object_add(o, "apparmor",
			       one("enabled", boolean(applied("/process/apparmorProfile"))));
	json_object_object_add(o, "selinux",
			       one("enabled", boolean(applied("/process/selinuxLabel"))));
	part = one("modes", words("memory_policies"));
	json_object_object_add(part, "flags", words("memory_policy_flags"));
	json_object_object_add(o, "memoryPolicy", part);
	part = one("enabled", boolean(applied("/linux/intelRdt")));
	json_object_object_add(part, "schemata", boolean(applied("/linux/intelRdt/schemata")));
	json_object_object_add(part, "monitoring",
			       boolean(applied("/linux/intelRdt/enableMonitoring")));
	json_object_object_add(o, "intelRdt", part);
	part = one("enabled", boolean(applied("/mounts/*/uidMappings")));
	json_object_object_add(o, "mountExtensions", one("idmap", part));
	json_object_object_add(o, "netDevices",
			       one("enabled", boolean(applied("/linux/netDevices"))));
	return o;
}

static struct json_object *annotations(const struct host_program *program)
{
	const struct scmp_version *v = seccomp_version();
	struct json_object *o = json_object_new_object();
	char version[48];

	snprintf(version, sizeof version, "%u.%u.%u", v->major, v->minor, v->micro);
	json_object_object_add(o, "io.github.seccomp.libseccomp.version",
			       json_object_new_string(version));
	/* Callers ask by this name whether a runtime can checkpoint. */
	json_object_object_add(o, "org.opencontainers.runc.checkpoint.enabled",
			       json_object_new_string(program->checkpoint ? "true" : "false"));
	json_object_object_add(o, "oci.version", json_object_new_string(program->version));
	json_object_object_add(o, "oci.commit", json_object_new_string(program->commit));
	return o;
}

struct json_object *host_features(const struct host_program *program)
{
	struct json_object *o = json_object_new_object(), *unsafe = json_object_new_array();

	json_object_object_add(o, "ociVersionMin", json_object_new_string("1.0.0"));
	json_object_object_add(o, "ociVersionMax", json_object_new_string(SPEC_VERSION));
	json_object_object_add(o, "hooks", hooks());
	json_object_object_add(o, "mountOptions", mount_options());
	json_object_object_add(o, "linux", linux_features());
	json_object_object_add(o, "annotations", annotations(program));
	/* The properties of a container's systemd scope. */
	if (has_systemd)
		json_object_array_add(unsafe, json_object_new_string("org.systemd.property."));
	/* What criu is made to do. */
	if (program->checkpoint)
		json_object_array_add(unsafe, json_object_new_string("org.criu.config"));
	json_object_object_add(o, "potentiallyUnsafeConfigAnnotations", unsafe);
	return o;
}
