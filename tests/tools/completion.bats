#!/usr/bin/env bats
# Completions for bash, zsh and fish, made of the option tables.
load ../lib/common

# complete WORD...: what bash offers for the last word, one a line, sorted.
complete_words() {
	bash --norc -c '
		source "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		[[ $(complete -p "${1##*/}") = *"-F _oci "* ]] || exit 3
		_oci "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
		((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"' - "$OCI_BUILD/completions/oci.bash" "$@" 2>err |
		sort
	[ ! -s err ] || fail "$(<err)"
}

offers() {
	local expected=$1
	shift
	[ "$(complete_words "$@" | paste -sd' ')" = "$expected" ] ||
		fail "$* offers $(complete_words "$@" | paste -sd' '), not $expected"
}

@test "bash: the commands" {
	offers 'kill' oci k
	offers 'start state' oci sta
	diff <(complete_words oci '') <(find "$OCI_BUILD"/ -name 'oci-*' -type l -printf '%f\n' | sed 's/^oci-//' | sort)
	offers 'kill' oci --debug --root /x --log=y k
}

@test "bash: a command's options, and the global ones, are those of --help" {
	local file command
	for file in "$OCI_BUILD"/oci-*; do
		[[ -L $file ]] || continue
		command=${file##*/}
		diff <(complete_words "$command" --) \
			<("$file" --help | sed -nE 's/^  (-.,|   ) (--[a-z0-9-]+).*/\2/p' | sort) || fail "$command"
	done
	offers '--all' oci kill --a
	offers '--all' oci-kill --a
	offers '--force' "$OCI_BUILD/oci-delete" --f
}

@test "bash: containers' ids, of the state root that was named" {
	require root
	mkbundle box
	oci-validate alpha "$BUNDLE"
	oci-validate beta "$BUNDLE"
	PATH=$OCI_BUILD:$PATH
	offers 'alpha beta' oci --root "$ROOT" start ''
	offers 'alpha' oci --root = "$ROOT" state a
	offers 'beta' oci-kill --root "$ROOT" --all b
	offers 'alpha' "$OCI_BUILD/oci" --root "$ROOT" delete --force al
	offers '' oci --root "$PWD/none" start ''
	# A new container's id is not one of those.
	offers '' oci --root "$ROOT" create ''
}

@test "bash: values and operands" {
	mkdir -p bundles/web
	: >bundles/file
	offers 'bundles/web' oci create --bundle bundles/
	offers 'bundles/web' oci create new bundles/
	offers 'bundles/file bundles/web' oci --log bundles/
	offers 'json table text' oci list --format ''
	offers 'json' oci list --format = j
	offers 'nsenter-setup' oci create --until ns
	offers 'SIGTERM' oci kill box SIGTER
	offers 'createContainer createRuntime' oci hook box create
	offers '' oci kill box KILL ''
}

@test "zsh: the script is one, and has every command" {
	require command:zsh
	local name
	zsh -n "$OCI_BUILD/completions/oci.zsh"
	[[ $(head -1 "$OCI_BUILD/completions/oci.zsh") = '#compdef oci oci-'* ]]
	for name in "$OCI_BUILD"/oci-*; do
		[[ -L $name ]] || continue
		head -1 "$OCI_BUILD/completions/oci.zsh" | grep -qw -- "${name##*/}" || fail "$name"
	done
	# It is loaded without a complaint.
	run -0 --separate-stderr zsh -f -c 'fpath=(. $fpath); autoload -U compinit; compinit -u -D -d dump
		source "$1"; whence -w _oci-kill' - <(sed '$d' "$OCI_BUILD/completions/oci.zsh")
	[[ $output = *function* && ! $stderr ]] || show
}

@test "fish: the script is one, and completes" {
	require command:fish
	export HOME=$PWD
	fish --no-execute "$OCI_BUILD/completions/oci.fish"
	run -0 fish --no-config -c "source $OCI_BUILD/completions/oci.fish; complete -C 'oci kil'"
	[[ $output = kill$'\t'* ]] || show
	run -0 fish --no-config -c "source $OCI_BUILD/completions/oci.fish; complete -C 'oci kill --al'"
	[[ $output = --all$'\t'* ]] || show
	run -0 fish --no-config -c "source $OCI_BUILD/completions/oci.fish; complete -C 'oci-delete --fo'"
	[[ $output = --force$'\t'* ]] || show
}

@test "options that are not shown are not offered" {
	run ! grep -E 'lock-fd|error-fd|dump-options' "$OCI_BUILD"/completions/oci.bash \
		"$OCI_BUILD"/completions/oci.zsh "$OCI_BUILD"/completions/oci.fish
}
