#!/usr/bin/env bats
# T-SYSCTL: kernel parameters that are not the container's own. CVE-2022-0811 (cri-o), CVE-2022-0492.
# Each row: a key, refused because of what it is or of a namespace that is not the container's; and the
# host's values are what they were.

load ../lib/common
load security

# The parameters that an attack would want, and some that are nobody's business, one a line.
HOST_KEYS='kernel.core_pattern kernel.modprobe kernel.hotplug kernel.poweroff_cmd kernel.core_pipe_limit
	kernel.core_uses_pid kernel.kptr_restrict kernel.dmesg_restrict kernel.perf_event_paranoid kernel.randomize_va_space
	kernel.sysrq kernel.panic kernel.panic_on_oops kernel.printk kernel.pid_max kernel.threads-max kernel.ns_last_pid
	kernel.unprivileged_bpf_disabled kernel.unprivileged_userns_clone kernel.yama.ptrace_scope kernel.kexec_load_disabled
	kernel.modules_disabled kernel.usermodehelper.bset kernel.usermodehelper.inheritable kernel.keys.maxkeys kernel.cap_last_cap
	kernel.random.boot_id kernel.sched_rt_runtime_us kernel.numa_balancing kernel.bpf_stats_enabled kernel.tainted
	vm.overcommit_memory vm.swappiness vm.drop_caches vm.mmap_min_addr vm.max_map_count vm.panic_on_oom vm.oom_kill_allocating_task
	vm.nr_hugepages vm.hugetlb_shm_group vm.legacy_va_layout vm.unprivileged_userfaultfd
	fs.file-max fs.nr_open fs.suid_dumpable fs.protected_symlinks fs.protected_hardlinks fs.protected_fifos fs.pipe-max-size
	fs.inotify.max_user_watches fs.binfmt_misc.register fs.binfmt_misc.status fs.epoll.max_user_watches fs.mount-max fs.leases-enable
	user.max_user_namespaces user.max_mnt_namespaces dev.tty.ldisc_autoload dev.cdrom.autoeject debug.exception-trace
	abi.vsyscall32 sunrpc.nfs_debug crypto.fips_enabled'

host_values() { for key in $HOST_KEYS; do echo "$key $(cat "/proc/sys/${key//.//}" 2>/dev/null)"; done | grep -v 'random\|ns_last_pid'; }

# attack FILTER [JQ-OPTION...]: a container whose configuration the filter has edited.
attack() {
	if [[ -e attack.config ]]; then cp attack.config attack/config.json; else mkbundle attack && cp attack/config.json attack.config; fi
	edit "$BATS_TEST_TMPDIR/attack" "$@"
	create attack
}

# attack_with_all FILTER [JQ-OPTION...] -- KEY...: the same with all keys as $keys; each is refused by its name.
attack_with_all() {
	local options=() key
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	shift
	attack "${options[@]}" --argjson keys "$(jq -n '[$ARGS.positional[] | {(.): "1"}] | add' --args "$@")"
	((status != 0)) || fail "not refused"
	for key; do grep -qF -- "\"$key\"" attack.err || fail "not refused by name: $key: $(<attack.err)" || return; done
}

@test "control: parameters of the container's own namespaces run" {
	mkbundle plain '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}'
	runs plain
	[ "$(nsenter -t "$PID" -n cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
}

@test "parameters of the whole machine are refused, with dots and with slashes" {
	local before
	before=$(host_values)
	# shellcheck disable=SC2086
	attack_with_all '.linux.sysctl = $keys' -- $HOST_KEYS
	# shellcheck disable=SC2086
	attack_with_all '.linux.sysctl = $keys' -- ${HOST_KEYS//.//}
	[ "$before" = "$(host_values)" ]
}

@test "parameters of a namespace that the container shares with the host are refused" {
	local row before
	before=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/{shm_rmid_forced,msgmax,sem,hostname,domainname} /proc/sys/fs/mqueue/msg_max)
	for row in 'network net.ipv4.ip_forward net.core.somaxconn net.ipv6.conf.all.forwarding' \
		'ipc kernel.shm_rmid_forced kernel.msgmax kernel.sem fs.mqueue.msg_max' \
		'uts kernel.hostname kernel.domainname'; do
		# shellcheck disable=SC2086
		set -- $row
		attack_with_all 'del(.hostname, .domainname) | .linux.namespaces |= map(select(.type != $type))
			| .linux.sysctl = $keys' --arg type "$1" -- "${@:2}" || fail "$row"
		# Joined by path, it is the host's all the same.
		attack 'del(.hostname, .domainname) | (.linux.namespaces[] | select(.type == $type)).path = $path
			| .linux.sysctl = {($key): "1"}' --arg type "$1" --arg key "$2" --arg path "/proc/self/ns/${1/network/net}"
		refused attack "$2" || fail "$row by path"
	done
	[ "$before" = "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/{shm_rmid_forced,msgmax,sem,hostname,domainname} /proc/sys/fs/mqueue/msg_max)" ]
}

@test "no key leads out of the namespace's own parameters" {
	local key before
	before=$(host_values)
	for key in net/../kernel/core_pattern net/ipv4/../../kernel/core_pattern net/./../kernel/core_pattern \
		net.ipv4/../../kernel/core_pattern net//../kernel/core_pattern ../kernel/core_pattern /proc/sys/kernel/core_pattern \
		/kernel/core_pattern net/ipv4/ip_forward/../../../kernel/core_pattern ... .. . / net/ net. '' \
		$'net.ipv4.ip_forward\n' $'net.ipv4.ip_forward\nkernel.core_pattern' net.ipv4.ip_forward/ 'net.ipv4.ip_forward '; do
		attack '.linux.sysctl = {($key): "1"}' --arg key "$key"
		((status != 0)) || fail "accepted: \"$key\""
		refused attack 'sysctl' || fail "\"$key\""
	done
	[ "$before" = "$(host_values)" ]
}

@test "a value is one value" {
	attack '.linux.sysctl = {"net.ipv4.ip_forward": "1\n2"}'
	refused attack 'net.ipv4.ip_forward'
	attack '.linux.sysctl = {"kernel.msgmax": "\u0000"}'
	refused attack 'u0000|NUL|sysctl'
	attack '.linux.sysctl = {"kernel.msgmax": 5}'
	refused attack 'sysctl'
}
