#!/usr/bin/env bash
# A sweep on a real Ray: a head without CPUs, a worker with slots for trials, and the demo league, in an empty folder.
#   cluster/smoke.sh [path of edge]     default: the debug build; `ray` must be on the path
set -euo pipefail
cluster="$(cd "$(dirname "$0")" && pwd)"
# shellcheck source=cluster/alone.sh
. "$cluster/alone.sh"

if [ "${1:-}" != --inside ]; then
  alone 600 "${1:-$("$cluster/../env/target.sh")/debug/edge}"
  echo "smoke: two trials on Ray, done in $SECONDS s" >&2
  exit
fi

edge="$2"
prepare
cat >edge.toml <<'TOML'
[sweep]
workers = "ray"
[sweep.ray]
address = "http://127.0.0.1:8265"
[sweep.ray.resources]
trial_slot = 1.0
TOML
"$edge" fetch >fetch.txt 2>&1 || { cat fetch.txt >&2; fail "edge fetch failed"; }
"$edge" sweep --workers ray --trials 2 --epochs 1 --smoke-test --dry-run >requests.json
requests="$(python3 -c 'import json; print(len(json.load(open("requests.json"))))')"
[ "$requests" = 2 ] || fail "the dry run printed $requests requests instead of 2"

start_head 0
start_worker 0 2
"$edge" sweep --workers ray --trials 2 --epochs 1 --smoke-test
done_markers="$(find edge-store/runs -name .done | wc -l)"
[ "$done_markers" = 2 ] || fail "$done_markers of 2 trials left their .done"
