#!/usr/bin/env bats
# Images of a checkpoint that somebody has delivered: criu opens what is in their directory by fixed
# names, as root, and follows links. The attack itself, where criu runs, writes its log into the canary.

load ../lib/common
load security

setup() {
	common_setup
	require root command:oci-restore
	OUT=$BATS_TEST_TMPDIR/outside
	mkdir -m 755 "$OUT"
	echo untouched >"$OUT/canary"
	mkbundle box
	mkdir images
}

restore() {
	run timeout 60 "$OCI" --root "$ROOT" restore --detach --image-path images --bundle box copy </dev/null
	echo "$output"
	((status != 0 && status != 124))
}

@test "control: images that are files come as far as criu" {
	echo nonsense >images/inventory.img
	restore
	[[ $output != *"of the images"* ]]
	ln -s ../before images/parent
	mkdir before
	restore
	[[ $output != *"of the images"* ]]
}

@test "images and criu's log are no links, FIFOs or devices: the machine's files are neither written nor read" {
	local before name
	before=$(outside)
	for name in restore.log pages-1.img stats-restore inventory.img descriptors.json; do
		ln -s "$OUT/canary" "images/$name"
		restore
		[[ $output = *"\"$name\" of the images \"$PWD/images\" is a symbolic link"* ]]
		rm "images/$name"
		mkfifo "images/$name"
		restore
		[[ $output = *"\"$name\" of the images \"$PWD/images\" is no regular file"* ]]
		rm "images/$name"
	done
	[[ $(outside) = "$before" && ! -e $ROOT/copy ]]
}

@test "nor are they in the images of a pre-dump before" {
	mkdir -p 1 2
	ln -s ../1 images/parent
	ln -s ../2 1/parent
	ln -s "$OUT/canary" 2/pages-1.img
	restore
	[[ $output = *'"pages-1.img" of the images "'*'/images" is a symbolic link'* ]]
	rm 2/pages-1.img
	ln -s ../images 2/parent
	restore
	[[ $output = *'have more than'*parents* ]]
}

@test "a checkpoint writes into no directory that somebody has prepared with links" {
	local before
	before=$(outside)
	runs box
	ln -s "$OUT/canary" images/dump.log
	run ! oci checkpoint --image-path images box
	[[ $output = *'"dump.log" of the images "'*'/images" is a symbolic link'* ]] || show
	[[ $(outside) = "$before" && $(ctr_status box) = running ]]
}
