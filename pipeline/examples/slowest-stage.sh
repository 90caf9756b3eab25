#!/bin/sh
# Where the time goes, as JSON: the stages of a creation, the slowest first.
#
# slowest-stage.sh ID BUNDLE
set -eu
id=${1:?the container\'s id} bundle=${2:?its bundle}
trace=$(mktemp)
trap 'rm -f "$trace"; oci-delete --force "$id"' EXIT

oci-create --trace "$trace" "$id" "$bundle"
jq -r '.traceEvents | sort_by(-.dur)[] | "\(.dur) us\t\(.name)\t\(.args.what // .args.outcome)"' "$trace"
