/*
 * oci-netdev: moves network devices into a container's network namespace, and back.
 *
 *	oci-netdev plan '{"eth0": {"name": "net0"}, ...}'	linux.netDevices; nothing is moved
 *yet oci-netdev move '{"eth0": {"name": "net0"}, ...}'	the same oci-netdev back '[{"host": "eth0",
 *...}, ...]'		what either has printed
 *
 * Purpose: the part of oci-nsenter-setup that needs a library for netlink.
 * Runs in: the caller's namespaces; standard input is the other network namespace. A netlink
 *   socket stays in the namespace that it was made in, so both are at hand.
 * Should: move all devices or none; keep the permanent global addresses, as a move loses them.
 * Mustn't: touch a device that was there before.
 * Undo: "back", while the namespace lives; then the kernel gives physical devices back and
 *   destroys virtual ones.
 * Specification: config-linux.md, "Network Devices".
 *
 * Standard output is one JSON value: the record, or {"error": ..., "pointer": ...}.
 * libs: mnl
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "kernel/proc.h"

enum { INDEX_ATTEMPTS = 4096, SEND_SIZE = 4096 };

/* Of an address's flags those that are its owner's wish, and no state. */
static const uint32_t kept_flags = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR |
				   IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

static struct mnl_socket *here, *there;
static unsigned sequence;

struct link {
	int index;
	unsigned flags;
	char name[IFNAMSIZ];
};

/* ---- netlink ------------------------------------------------------------------------------- */

static struct mnl_socket *open_socket(struct oci_err *err)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_sys(err, errno, "cannot open a netlink socket");
		return NULL;
	}
	return s;
}

/* Sends the message and hands the answers to fn. -1 with errno. */
static int talk(struct mnl_socket *s, struct nlmsghdr *message, mnl_cb_t fn, void *arg)
{
	static char answer[64 << 10];
	unsigned port = mnl_socket_get_portid(s);
	int result;

	message->nlmsg_seq = ++sequence;
	if (mnl_socket_sendto(s, message, message->nlmsg_len) < 0)
		return -1;
	do {
		ssize_t n = mnl_socket_recvfrom(s, answer, sizeof answer);

		if (n < 0)
			return -1;
		result = mnl_cb_run(answer, (size_t)n, sequence, port, fn, arg);
	} while (result > MNL_CB_STOP);
	return result;
}

static struct nlmsghdr *begin(char *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return message;
}

static struct nlmsghdr *begin_link(char *buffer, uint16_t type, uint16_t flags, int index,
				   unsigned up)
{
	struct nlmsghdr *message = begin(buffer, type, flags);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	info->ifi_flags = info->ifi_change = up;
	return message;
}

static int take_link(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;
	struct link *link = arg;

	link->index = info->ifi_index;
	link->flags = info->ifi_flags;
	mnl_attr_for_each(attr, message, sizeof *info)
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(link->name, sizeof link->name, "%s", mnl_attr_get_str(attr));
	}
	return MNL_CB_OK;
}

/* By name, or by index where name is NULL. -1 with errno: ENODEV. */
static int find_link(struct mnl_socket *s, const char *name, int index, struct link *ret_link)
{
	char buffer[SEND_SIZE];
	struct nlmsghdr *message = begin_link(buffer, RTM_GETLINK, NLM_F_ACK, index, 0);

	if (name)
		mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return talk(s, message, take_link, ret_link);
}

static int set_up(struct mnl_socket *s, int index)
{
	char buffer[SEND_SIZE];

	return talk(s, begin_link(buffer, RTM_NEWLINK, NLM_F_ACK, index, IFF_UP), NULL, NULL);
}

/*
 * Into the namespace, with this name, and an index that nobody has there: the same if that is
 * free. Returns the new index; -1 with errno.
 */
static int move_link(struct mnl_socket *s, int index, int target_ns, const char *name)
{
	for (int i = 0; i < INDEX_ATTEMPTS; i++) {
		char buffer[SEND_SIZE];
		struct nlmsghdr *message = begin_link(buffer, RTM_NEWLINK, NLM_F_ACK, index, 0);

		mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)target_ns);
		mnl_attr_put_u32(message, IFLA_NEW_IFINDEX, (uint32_t)(index + i));
		mnl_attr_put_strz(message, IFLA_IFNAME, name);
		if (talk(s, message, NULL, NULL) >= 0)
			return index + i;
		if (errno != EBUSY)
			break;
	}
	return -1;
}

/* ---- addresses ----------------------------------------------------------------------------- */

static void add_address_text(struct json_object *o, const char *key, int family,
			     const struct nlattr *attr)
{
	const size_t size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	char text[INET6_ADDRSTRLEN];

	if (attr && mnl_attr_get_payload_len(attr) == size &&
	    inet_ntop(family, mnl_attr_get_payload(attr), text, sizeof text))
		json_object_object_add(o, key, json_object_new_string(text));
}

struct collection {
	int index;
	struct json_object *list;
};

static int take_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr, *local = NULL, *address = NULL, *broadcast = NULL;
	struct collection *c = arg;
	uint32_t flags = info->ifa_flags, priority = 0;
	struct json_object *o;

	mnl_attr_for_each(attr, message, sizeof *info)
	{
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:
			local = attr;
			break;
		case IFA_ADDRESS:
			address = attr;
			break;
		case IFA_BROADCAST:
			broadcast = attr;
			break;
		case IFA_FLAGS:
			flags = mnl_attr_get_u32(attr);
			break;
		case IFA_RT_PRIORITY:
			priority = mnl_attr_get_u32(attr);
			break;
		}
	}
	if ((int)info->ifa_index != c->index || info->ifa_scope != RT_SCOPE_UNIVERSE ||
	    !(flags & IFA_F_PERMANENT) ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return MNL_CB_OK;
	o = json_object_new_object();
	add_address_text(o, "address", info->ifa_family, local ? local : address);
	/* Of IPv4 the network's side, which is another one only on a point-to-point link. */
	if (local && address)
		add_address_text(o, "peer", info->ifa_family, address);
	add_address_text(o, "broadcast", info->ifa_family, broadcast);
	json_object_object_add(o, "prefix", json_object_new_int(info->ifa_prefixlen));
	if (flags & kept_flags)
		json_object_object_add(o, "flags", json_object_new_int64(flags & kept_flags));
	if (priority)
		json_object_object_add(o, "priority", json_object_new_int64(priority));
	json_object_array_add(c->list, o);
	return MNL_CB_OK;
}

/* NULL with errno. */
static struct json_object *read_addresses(struct mnl_socket *s, int index)
{
	struct collection c = {index, json_object_new_array()};
	char buffer[SEND_SIZE];
	struct nlmsghdr *message = begin(buffer, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

	info->ifa_family = AF_UNSPEC;
	if (talk(s, message, take_address, &c) < 0) {
		json_object_put(c.list);
		return NULL;
	}
	return c.list;
}

static int put_address(struct nlmsghdr *message, uint16_t type, const char *text)
{
	struct in6_addr bytes;
	const int family = text && strchr(text, ':') ? AF_INET6 : AF_INET;

	if (!text)
		return 0;
	if (inet_pton(family, text, &bytes) != 1) {
		errno = EINVAL;
		return -1;
	}
	mnl_attr_put(message, type, family == AF_INET ? sizeof(struct in_addr) : sizeof bytes,
		     &bytes);
	return 0;
}

static int add_address(struct mnl_socket *s, int index, const struct json_object *o)
{
	char buffer[SEND_SIZE];
	struct nlmsghdr *message =
		begin(buffer, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);
	const char *address = json_string(o, "address"), *peer = json_string(o, "peer");
	const uint32_t priority = (uint32_t)json_uint(o, "priority", 0);

	info->ifa_family = address && strchr(address, ':') ? AF_INET6 : AF_INET;
	info->ifa_prefixlen = (uint8_t)json_uint(o, "prefix", 0);
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	info->ifa_index = (unsigned)index;
	if (put_address(message, IFA_LOCAL, address) < 0 ||
	    put_address(message, IFA_ADDRESS, peer ? peer : address) < 0 ||
	    put_address(message, IFA_BROADCAST, json_string(o, "broadcast")) < 0)
		return -1;
	mnl_attr_put_u32(message, IFA_FLAGS, (uint32_t)json_uint(o, "flags", 0));
	if (priority)
		mnl_attr_put_u32(message, IFA_RT_PRIORITY, priority);
	/* It may have survived the move, as nothing says that it is lost. */
	return talk(s, message, NULL, NULL) < 0 && errno != EEXIST ? -1 : 0;
}

static int add_addresses(struct mnl_socket *s, int index, const struct json_object *list)
{
	for (size_t i = 0; i < json_length(list); i++)
		if (add_address(s, index, json_item(list, i)) < 0)
			return -1;
	return 0;
}

/* ---- back ---------------------------------------------------------------------------------- */

/*
 * The device's index in the container's namespace; 0 if it is not in there. Who was killed may have
 * been about to move it, or to put it back.
 */
static int find_moved(const struct json_object *record)
{
	const char *name = json_string(record, "name");
	const int index = (int)json_int(record, "index", 0);
	struct link link = {0};

	if (!json_true(record, "planned"))
		return find_link(there, NULL, index, &link) < 0 ? 0 : index;
	/* A template's name is the kernel's choice, and the index most often what it was. */
	if (name && !strchr(name, '%'))
		return find_link(there, name, 0, &link) < 0 ? 0 : link.index;
	return find_link(there, NULL, index, &link) < 0 ? 0 : index;
}

/* One device, by its record. */
static int put_back(const struct json_object *record, int host_ns, struct oci_err *err)
{
	const char *host = json_string(record, "host");
	struct link link = {0};
	int index;

	if (!host)
		return err_set(err, FAULT_SYSTEM, "a record without a name");
	index = find_moved(record);
	if (index)
		index = move_link(there, index, host_ns, host);
	else if (find_link(here, host, 0, &link) < 0)
		index = -1;
	else if (link.index != (int)json_int(record, "index", 0))
		return 0; /* another of that name */
	else
		index = link.index;
	if (index < 0 || add_addresses(here, index, json_member(record, "addresses")) < 0 ||
	    (json_true(record, "up") && set_up(here, index) < 0))
		return err_sys(err, errno, "cannot put the network device \"%s\" back", host);
	return 0;
}

/* All that can be; the first error is told. */
static int put_all_back(const struct json_object *records, int host_ns, struct oci_err *err)
{
	int result = 0;

	for (size_t i = json_length(records); i-- > 0;) {
		own_err struct oci_err one = ERR_INIT;

		if (put_back(json_item(records, i), host_ns, result ? &one : err) < 0)
			result = -1;
	}
	return result;
}

/* ---- move ---------------------------------------------------------------------------------- */

static int fail_move(const char *host, const char *name, struct oci_err *err)
{
	if (errno == EEXIST)
		return err_set(err, FAULT_CONFIG,
			       "EEXIST: the container's network namespace has a device \"%s\" "
			       "already",
			       name);
	return err_sys(
		err, errno, "cannot move the network device \"%s\" into the container%s", host,
		errno == EINVAL || errno == EOPNOTSUPP ? " (it belongs to its namespace)" : "");
}

static struct json_object *new_record(const char *host, const struct link *link,
				      struct json_object *addresses)
{
	struct json_object *record = json_object_new_object();

	json_object_object_add(record, "host", json_object_new_string(host));
	json_object_object_add(record, "up", json_object_new_boolean(link->flags & IFF_UP));
	json_object_object_add(record, "addresses", addresses);
	return record;
}

static int find_host(const char *host, struct link *ret_link, struct oci_err *err)
{
	if (find_link(here, host, 0, ret_link) >= 0)
		return 0;
	if (errno == ENODEV)
		return err_set(err, FAULT_CONFIG, "ENODEV: there is no network device \"%s\"",
			       host);
	return err_sys(err, errno, "cannot look for the network device \"%s\"", host);
}

/* The record of what is about to be moved: with the name and the index that it is to have. */
static int plan(const char *host, const char *name, struct json_object *records,
		struct oci_err *err)
{
	struct json_object *addresses, *record;
	struct link link = {0};

	if (find_host(host, &link, err) < 0)
		return -1;
	addresses = read_addresses(here, link.index);
	if (!addresses)
		return err_sys(err, errno, "cannot read the addresses of \"%s\"", host);
	record = new_record(host, &link, addresses);
	json_object_object_add(record, "planned", json_object_new_boolean(1));
	json_object_object_add(record, "name", json_object_new_string(name));
	json_object_object_add(record, "index", json_object_new_int(link.index));
	json_object_array_add(records, record);
	return 0;
}

/* One device; the record of what is moved is in records even if that is not all. */
static int move(const char *host, const char *name, int target_ns, struct json_object *records,
		struct oci_err *err)
{
	struct json_object *record, *addresses;
	struct link link = {0}, taken = {0};
	int index;

	if (find_host(host, &link, err) < 0)
		return -1;
	if (!strchr(name, '%') && find_link(there, name, 0, &taken) >= 0) {
		errno = EEXIST;
		return fail_move(host, name, err);
	}
	addresses = read_addresses(here, link.index);
	if (!addresses)
		return err_sys(err, errno, "cannot read the addresses of \"%s\"", host);
	record = new_record(host, &link, addresses);
	index = move_link(here, link.index, target_ns, name);
	if (index < 0) {
		json_object_put(record);
		return fail_move(host, name, err);
	}
	json_object_object_add(record, "index", json_object_new_int(index));
	json_object_array_add(records, record);
	if (find_link(there, NULL, index, &taken) < 0)
		return err_sys(err, errno, "cannot find the moved network device \"%s\"", host);
	json_object_object_add(record, "name", json_object_new_string(taken.name));
	if (add_addresses(there, index, addresses) < 0)
		return err_sys(err, errno, "cannot give \"%s\" its addresses", taken.name);
	return set_up(there, index) < 0 ? err_sys(err, errno, "cannot set \"%s\" up", taken.name)
					: 0;
}

static int for_all(struct json_object *devices, bool only_plan, int target_ns, int host_ns,
		   struct json_object *records, struct oci_err *err)
{
	json_object_object_foreach (devices, host, value) {
		const char *given = json_string(value, "name"),
			   *name = given && *given ? given : host;
		own_err struct oci_err second = ERR_INIT;
		own_ptr char *pointer = NULL;

		if ((only_plan ? plan(host, name, records, err)
			       : move(host, name, target_ns, records, err)) == 0)
			continue;
		pointer = json_pointer_to("/linux/netDevices", host);
		err_at(err, "%s", pointer ? pointer : "/linux/netDevices");
		if (!only_plan && put_all_back(records, host_ns, &second) < 0)
			err_hint(err, "%s", second.message);
		return -1;
	}
	return 0;
}

/* ---- Start --------------------------------------------------------------------------------- */

static int open_both(int *ret_host_ns, struct oci_err *err)
{
	const int proc = proc_fd(err);
	struct stat other, own;

	if (proc < 0)
		return -1;
	*ret_host_ns = openat(proc, "self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*ret_host_ns < 0 || fstat(*ret_host_ns, &own) < 0 || fstat(0, &other) < 0)
		return err_sys(err, errno, "cannot open the network namespaces");
	if (own.st_ino == other.st_ino && own.st_dev == other.st_dev) {
		err_set(err, FAULT_CONFIG,
			"the container's network namespace is the one that the devices are in");
		return err_at(err, "/linux/netDevices");
	}
	here = open_socket(err);
	if (!here)
		return -1;
	if (setns(0, CLONE_NEWNET) < 0) {
		err_sys(err, errno, "cannot join the container's network namespace");
		return errno == EPERM ? err_hint(err, "a device is moved with CAP_NET_ADMIN in the "
						      "namespace that it is in, which takes root")
				      : -1;
	}
	there = open_socket(err);
	return there ? 0 : -1;
}

static int run(int argc, char **argv, struct json_object *records, struct oci_err *err)
{
	own_json struct json_object *request =
		argc == 3 ? json_parse(argv[2], strlen(argv[2]), "request", err) : NULL;
	own_fd int host_ns = -1;

	if (argc != 3)
		return err_set(err, FAULT_USAGE, "is run by oci-nsenter-setup only");
	if (!request || open_both(&host_ns, err) < 0)
		return -1;
	if (strcmp(argv[1], "back") == 0)
		return put_all_back(request, host_ns, err);
	return for_all(request, strcmp(argv[1], "plan") == 0, 0, host_ns, records, err);
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *records = json_object_new_array();
	own_json struct json_object *o = json_object_new_object();

	if (run(argc, argv, records, &err) == 0) {
		puts(json_object_to_json_string_ext(records, JSON_C_TO_STRING_PLAIN));
		return fflush(stdout) == 0 ? 0 : FAULT_SYSTEM;
	}
	add_text(o, "error", err.message);
	add_text(o, "pointer", err.pointer);
	add_text(o, "hint", err.hint);
	json_object_object_add(o, "fault", json_object_new_int((int)err.fault));
	json_object_object_add(o, "errnum", json_object_new_int(err.errnum));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	return (int)err.fault;
}
