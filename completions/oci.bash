# shellcheck shell=bash disable=SC2154

# Completes the word $2 by what stands for it in --help.
_oci_complete() {
	local kind
	for kind in $1; do
		case $kind in
		CONTAINER-ID)
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W \
				"$("${_oci_list[@]}" list -q 2>/dev/null)" -- "$2")
			;;
		BUNDLE | DIR) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$2") ;;
		FILE | PATH) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$2") ;;
		FORMAT) mapfile -t COMPREPLY < <(compgen -W 'json table text' -- "$2") ;;
		SIGNAL) mapfile -t COMPREPLY < <(compgen -A signal -- "$2") ;;
		STAGE) mapfile -t COMPREPLY < <(compgen -W "$_oci_stages" -- "$2") ;;
		KIND*) mapfile -t COMPREPLY < <(compgen -W "$_oci_kinds" -- "$2") ;;
		COMMAND)
			[[ $3 != oci ]] || mapfile -t COMPREPLY < <(compgen -W "$_oci_commands" -- "$2")
			;;
		esac
	done
}

_oci() {
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[0]##*/} option='' kind n=0 i
	local _oci_list=("${COMP_WORDS[0]%/*}")
	COMPREPLY=()
	# The program beside the one that is typed, and its --root.
	[[ ${COMP_WORDS[0]} = */* ]] && _oci_list=("${COMP_WORDS[0]%/*}/oci") || _oci_list=(oci)
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		=) continue ;;
		esac
		if [[ $option ]]; then
			[[ $option != --root ]] || _oci_list+=(--root "${COMP_WORDS[i]/#\~/$HOME}")
			option=''
		elif [[ ${COMP_WORDS[i]} = -?* ]]; then
			option=${COMP_WORDS[i]}
			[[ $(_oci_kind "$command:$option") ]] || option=''
		elif [[ $command = oci ]]; then
			command=oci-${COMP_WORDS[i]}
		else
			((++n))
		fi
	done
	[[ $word != = ]] || word=''
	if [[ $option ]]; then
		kind=$(_oci_kind "$command:$option")
	elif [[ $word = -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_oci_flags "$command")" -- "$word")
		return
	else
		kind=$(_oci_kind "$command:$((n + 1))")
	fi
	_oci_complete "$kind" "$word" "$command"
	[[ ! $kind =~ DIR|BUNDLE|FILE|PATH ]] || compopt -o filenames 2>/dev/null || true
}
