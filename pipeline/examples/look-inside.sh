#!/bin/sh
# A creation that stops half-way for a look: what has oci-mount made? Then it goes on.
#
# look-inside.sh ID BUNDLE
set -eu
id=${1:?the container\'s id} bundle=${2:?its bundle}

oci-create --until mount "$id" "$bundle"
trap 'oci-delete --force "$id"' EXIT

# A program of the host in the container's namespaces: the image needs no findmnt.
rootfs=$(oci-state "$id" | jq -r .rootfs)
oci-nsenter "$id" -- findmnt --submounts --output TARGET,FSTYPE,OPTIONS "$rootfs"

oci-create --resume "$id"
trap - EXIT
