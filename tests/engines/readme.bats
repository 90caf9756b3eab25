#!/usr/bin/env bats
# What README.md says of engines, typed as it stands after make install: each block of commands there is
# said to be tested with an engine, or why it is not.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	engine_begin podman conmon dockerd /usr/bin/docker containerd containerd-shim-runc-v2 ctr iptables make
	engine_install
	mkdir "$ENGINE/etc/docker"
	podman_begin
	docker_begin
	echo "{}" >"$ENGINE/cli/config.json"
	containerd_begin
	# As installed, in place of what the tests' podman is told.
	cp "$ENGINE/etc/containers/containers.conf.d/oci.conf" /etc/containers/containers.conf.d/oci.conf
	rm /etc/containers/containers.conf.d/admin.conf
}
setup() { engine_setup; }
teardown() {
	podman_clean
	containerd_clean
	docker_clean
	engine_teardown
}
teardown_file() { engine_end; }

# The section's blocks that are tested with ENGINE, as scripts block.1, block.2, ...; paths are those of this
# file's installation, and the image is that which is there.
blocks() {
	sed -n '/^## Use it from/,/^## What/p' "$REPO/README.md" |
		sed -E "s|/usr/local/|$ENGINE/prefix/|g; s|/etc/docker/|$ENGINE/etc/docker/|g
			s#(docker\\.io/library/)?busybox(:latest)? #$IMAGE #g" |
		awk -v engine="$1" '
			/^<!-- / { said = $0; next }
			/^```/ { inside = !inside; if (inside && said == "<!-- test: " engine " -->") { n++; of = n } else of = 0; said = ""; next }
			inside && of { print >("block." of) }'
}
# type_in N: each command must succeed.
type_in() {
	[ -s "block.$1" ]
	set -- "$(<"block.$1")"
	eval "set -e; $1" 3>&- </dev/null
}

@test "every block says how it is tested" {
	run -0 awk '
		/^## / { section = /^## Use it from/ }
		!section { next }
		/^<!-- (no )?test: / { said = 1; next }
		/^```/ { inside = !inside; if (inside && !said) print NR ": " $0; said = 0; next }
		/^    / { print NR ": an indented block: " $0 }' "$REPO/README.md"
	[ -z "$output" ] || show
}

@test "podman" {
	blocks podman
	run -0 type_in 1
	[ "$output" = $'hello\nhello' ] || show
	[ "$(podman info -f '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}')" = "oci $INSTALLED" ]
}

@test "docker" {
	blocks docker
	stop_daemon "$(<"$ENGINE/dockerd.pid")"
	type_in 1
	cp "$ENGINE/etc/docker/daemon.json" "$ENGINE/daemon.json"
	docker_start
	run -0 type_in 2
	[ "$output" = $'hello\nhello' ] || show
	[ "$(docker info -f '{{.DefaultRuntime}} {{.Runtimes.oci.Path}}')" = "oci $INSTALLED" ]
}

@test "containerd" {
	blocks containerd
	run -0 type_in 1
	[ "$output" = hello ] || show
}
