#!/usr/bin/env bats
# A container that has much of something: nobody else's commands fail of it.

load ../lib/common
load security

@test "ps of a container says what it should, whatever the processes of another say" {
	require command:oci-ps
	mkbundle evil '.process.args = ["sh", "-c", "i=0; while [ $i -lt 600 ]; do
		sh -c \"sleep 1000; :\" x $(cat /big) & i=$((i + 1)); done; echo >/done; wait"]'
	head -c 120000 /dev/zero | tr '\0' 1 >"$BUNDLE/rootfs/big"
	runs evil
	wait_for -t 120 test -e "$BUNDLE/rootfs/done"
	mkbundle good
	runs good
	(($(ps -ef | wc -c) > 64 << 20)) || skip "requires a ps that shows long command lines"
	run -0 oci ps good
	[[ ${#lines[@]} = 2 && ${lines[1]} = *" $PID "*"sleep 1000" ]] || show
}
