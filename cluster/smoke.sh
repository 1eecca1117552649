#!/usr/bin/env bash
# A sweep on a real Ray: a head without CPUs, a worker with a slot for trials, and the demo league, in an empty folder.
#   cluster/smoke.sh [path of edge]     default: the debug build; `ray` must be on the path
# Whatever it is told, Ray listens on every address that the machine has. So all of this runs in a network namespace with
# nothing but a loopback, and in a process namespace, whose end is the end of every process that was started here.
set -euo pipefail

readonly limit_seconds=600

fail() { printf 'smoke: %s\n' "$*" >&2; exit 1; }

inside() {
  local edge="$1" head worker requests
  ip link set lo up
  [ "$(ip -o link | wc -l)" = 1 ] || fail "there is more than a loopback here, and Ray would listen on it"
  RAY_AUTH_TOKEN="$(python3 -c 'import secrets; print(secrets.token_hex(16))')"
  export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
  export RAY_ADDRESS='' HOME="$PWD" # neither settings nor traces of the user's own Ray
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

  local common=(--node-ip-address 127.0.0.1 --object-store-memory 100000000 --disable-usage-stats)
  head=(--head --port 6379 --dashboard-host 127.0.0.1 --dashboard-port 8265 --num-cpus 0 --num-gpus 0 --temp-dir "$PWD/ray")
  # The agent of the head, on this same address, has the usual port.
  worker=(--address 127.0.0.1:6379 --num-cpus 2 --resources '{"trial_slot": 2}' --dashboard-agent-listen-port 52366)
  ray start "${head[@]}" "${common[@]}" >head.txt 2>&1 || { cat head.txt >&2; fail "Ray's head did not start"; }
  ray start "${worker[@]}" "${common[@]}" >worker.txt 2>&1 || { cat worker.txt >&2; fail "Ray's worker did not start"; }

  "$edge" sweep --workers ray --trials 2 --epochs 1 --smoke-test
  local done_markers
  done_markers="$(find edge-store/runs -name .done | wc -l)"
  [ "$done_markers" = 2 ] || fail "$done_markers of 2 trials left their .done"
}

if [ "${1:-}" = --inside ]; then
  inside "$2"
  exit
fi

repository="$(cd "$(dirname "$0")/.." && pwd)"
edge="${1:-$("$repository/env/target.sh")/debug/edge}"
[ -x "$edge" ] || fail "there is no program $edge: build it, or name it"
edge="$(realpath "$edge")"
for program in ray ip unshare; do
  command -v "$program" >/dev/null || fail "\`$program\` is missing (pip install -r cluster/requirements-ray.txt; iproute2; util-linux)"
done

namespaces=(unshare --net --pid --fork --kill-child --mount-proc)
as_root=()
if [ "$(id -u)" != 0 ]; then
  if unshare --user --map-root-user "${namespaces[@]:1}" true 2>/dev/null; then
    namespaces+=(--user --map-root-user)
  else # Some systems keep user namespaces from ordinary users.
    as_root=(sudo env "PATH=$PATH" "LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}")
  fi
fi

# A short path: sockets lie below it.
folder="$(mktemp -d /tmp/edge-smoke.XXXXXX)"
child=
cleanup() {
  trap - EXIT
  if [ -n "$child" ] && "${as_root[@]}" kill "$child" 2>/dev/null; then
    wait "$child" 2>/dev/null || true
    sleep 1 # for the namespace to be gone, which writes there
  fi
  "${as_root[@]}" rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
began="$SECONDS"
cd "$folder"
# Whoever is first in a process namespace hears no mild signal, so a strong one follows at once; with it goes all the rest.
"${as_root[@]}" timeout --kill-after=1 "$limit_seconds" "${namespaces[@]}" "$repository/cluster/smoke.sh" --inside "$edge" &
child=$!
wait "$child" || { child= && fail "failed, or took longer than $limit_seconds s"; }
child=
echo "smoke: two trials on Ray, done in $((SECONDS - began)) s" >&2
