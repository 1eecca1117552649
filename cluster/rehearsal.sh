#!/usr/bin/env bash
# The same night twice, its sweep of 12 trials once by processes of this machine and once on a real Ray of two workers, of
# which one is killed in the middle, and the head is killed and started again. Both must end with the same best.pt, and with
# every trial accounted for once.
#   cluster/rehearsal.sh [path of edge]     default: the release build; `ray` must be on the path
set -euo pipefail
cluster="$(cd "$(dirname "$0")" && pwd)"
# shellcheck source=cluster/alone.sh
. "$cluster/alone.sh"

if [ "${1:-}" != --inside ]; then
  alone 3000 "${1:-$("$cluster/../env/target.sh")/release/edge}"
  exit
fi

edge="$2"
date=2026-03-02
prepare
settings() { # WORKERS
  cat <<TOML
[model]
epochs = 3
ensemble = 2
[sweep]
workers = "$1"
trials = 12
epochs = 6
at_once = 4
[sweep.ray]
address = "http://127.0.0.1:8265"
[sweep.ray.resources]
trial_slot = 1.0
TOML
}
mkdir here there
settings local >here/edge.toml
settings ray >there/edge.toml

began="$SECONDS"
(cd here && "$edge" nightly --date "$date" --dry-run) >here.txt 2>&1 || { tail -20 here.txt >&2; fail "the night on this machine failed"; }
echo "local: $((SECONDS - began)) s"

start_head 0
start_worker 0 2
start_worker 1 2
began="$SECONDS"
(cd there && "$edge" nightly --date "$date" --dry-run) >there.txt 2>&1 &
night=$!
study="there/edge-store/runs/$date-090000Z/sweep/study.json"
ended() {
  local count
  count="$(grep -c '"ended": "' "$study" 2>/dev/null)" || true
  echo "${count:-0}"
}
wait_for() { # TRIALS
  while [ "$(ended)" -lt "$1" ]; do
    kill -0 "$night" 2>/dev/null || { tail -20 there.txt >&2; fail "the night on Ray ended too early"; }
    sleep 0.2
  done
}
wait_for 3
worker="$(pgrep -f 'raylet/raylet .*' | tail -1)"
kill -9 "$worker"
echo "a worker was killed after $(ended) trials, $((SECONDS - began)) s"
sleep 5
start_worker 2 2
wait_for 7
pkill -9 -f 'gcs_server|raylet|dashboard' || true
echo "the head was killed after $(ended) trials, $((SECONDS - began)) s"
sleep 2
start_head 1
start_worker 3 2
start_worker 4 2
wait "$night" || { tail -30 there.txt >&2; fail "the night on Ray failed"; }
echo "ray: $((SECONDS - began)) s"

python3 - <<'PY'
import hashlib, json, pathlib

def night(name):
    store = pathlib.Path(name, "edge-store")
    study = json.loads(next(store.glob("runs/*/sweep/study.json")).read_text())
    for trial in study["trials"]:
        for key in ("started", "ended"):
            del trial[key]
        trial["outcome"].pop("seconds")
    attempts = [trial["outcome"].pop("attempts") for trial in study["trials"]]
    return study["trials"], attempts, hashlib.sha256((store / "models/best.pt").read_bytes()).hexdigest()

here, there = night("here"), night("there")
assert len(here[0]) == len(there[0]) == 12, "not every trial is accounted for"
assert here[0] == there[0], "the trials differ"
assert here[2] == there[2], "best.pt differs"
states = [next(iter(s)) if isinstance(s, dict) else s for s in (t["outcome"]["state"] for t in there[0])]
print("12 trials, the same on both:", {state: states.count(state) for state in sorted(set(states))})
print("begun on Ray:", there[1])
print("best.pt on both:", there[2])
PY
