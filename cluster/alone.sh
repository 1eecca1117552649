# shellcheck shell=bash
# A Ray that nobody else sees; read by the scripts beside it.
# Whatever it is told, Ray listens on every address that the machine has. So all of it runs in a network namespace with
# nothing but a loopback, and in a process namespace, whose end is the end of every process that was started there.

fail() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 1; }

# alone SECONDS EDGE: runs this script again as `--inside EDGE`, in an empty folder, for at most so long.
alone() {
  local limit_seconds="$1" edge="$2" script
  script="$(realpath "$0")"
  [ -x "$edge" ] || fail "there is no program $edge: build it, or name it"
  edge="$(realpath "$edge")"
  for program in ray ip unshare; do
    command -v "$program" >/dev/null || fail "\`$program\` is missing (pip install -r cluster/requirements-ray.txt; iproute2; util-linux)"
  done
  local namespaces=(unshare --net --pid --fork --kill-child --mount-proc)
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    if unshare --user --map-root-user "${namespaces[@]:1}" true 2>/dev/null; then
      namespaces+=(--user --map-root-user)
    else # Some systems keep user namespaces from ordinary users.
      as_root=(sudo env "PATH=$PATH" "LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}")
    fi
  fi
  # A short path: sockets lie below it.
  folder="$(mktemp -d -t edge-ray.XXXXXX)"
  child=
  trap leave_nothing EXIT
  trap 'exit 1' INT TERM HUP
  cd "$folder" || exit
  # Whoever is first in a process namespace hears no mild signal, so a strong one follows at once; with it goes all the rest.
  "${as_root[@]}" timeout --kill-after=1 "$limit_seconds" "${namespaces[@]}" "$script" --inside "$edge" &
  child=$!
  wait "$child" || { child= && fail "failed, or took longer than $limit_seconds s"; }
  child=
}

leave_nothing() {
  trap - EXIT
  if [ -n "$child" ] && "${as_root[@]}" kill "$child" 2>/dev/null; then
    wait "$child" 2>/dev/null || true
    sleep 1 # for the namespace to be gone, which writes there
  fi
  "${as_root[@]}" rm -rf "$folder"
}

# What comes before Ray in the namespace.
prepare() {
  ip link set lo up
  [ "$(ip -o link | wc -l)" = 1 ] || fail "there is more than a loopback here, and Ray would listen on it"
  RAY_AUTH_TOKEN="$(python3 -c 'import secrets; print(secrets.token_hex(16))')"
  export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
  export RAY_ADDRESS='' HOME="$PWD" # neither settings nor traces of the user's own Ray
  # A dead node is noticed in seconds.
  export RAY_health_check_period_ms=1000 RAY_health_check_timeout_ms=2000
  export RAY_health_check_initial_delay_ms=2000 RAY_health_check_failure_threshold=4
}

start_ray() { # NAME ARGUMENTS...
  local name="$1"
  shift
  ray start "$@" --node-ip-address 127.0.0.1 --object-store-memory 100000000 --disable-usage-stats >"$name.txt" 2>&1 ||
    { cat "$name.txt" >&2; fail "Ray's $name did not start"; }
}

# A head that takes no trials; NUMBER is how often one was started before.
start_head() { # NUMBER
  start_ray head --head --port 6379 --dashboard-host 127.0.0.1 --dashboard-port 8265 --num-cpus 0 --num-gpus 0 --temp-dir "$PWD/ray$1"
}

# A node with so many slots for trials. All are at one address, so each agent has a port of its own.
start_worker() { # NUMBER SLOTS
  start_ray "worker$1" --address 127.0.0.1:6379 --num-cpus "$2" --resources "{\"trial_slot\": $2}" --dashboard-agent-listen-port "$((52366 + $1))"
}
