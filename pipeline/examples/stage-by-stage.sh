#!/bin/sh
# A container made by hand: each stage is a command, and between any two of them anything can be
# done to the machine. The same as: oci-create ID BUNDLE
#
# stage-by-stage.sh ID BUNDLE
set -eu
id=${1:?the container\'s id} bundle=${2:?its bundle}

# Without a driver nobody undoes what was done so far.
trap 'oci-delete --force "$id"' EXIT

oci-validate --bundle "$bundle" "$id"
oci-seccomp "$id"
oci-cgroup "$id"
oci-nsenter-setup "$id"
oci-prepare-root "$id"
oci-mount "$id"
oci-hook "$id" prestart
oci-hook "$id" createRuntime
oci-hook "$id" createContainer
oci-pivot "$id"

trap - EXIT
oci-state "$id"
