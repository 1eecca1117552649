#!/usr/bin/env bash
# Builds the serving image out of dist/ (make it with `make dist`), starts it, and asks /healthz and /readyz from outside.
#   scripts/container_check.sh                        an empty store: live, and not ready with a reason; ends when asked
#   scripts/container_check.sh STORE [edge.toml]      a store with a trained model: live and ready
# Takes the first of docker, podman and buildah that works, or the one that BUILDER names; PORT is 18080 unless set.
# buildah inside of another container: as root with STORAGE_DRIVER=vfs. BUILD_FLAGS are handed on, such as --pull-never.
set -euo pipefail
store="" config=""
[ "$#" -lt 1 ] || store="$(realpath --canonicalize-existing "$1")"
[ "$#" -lt 2 ] || config="$(realpath --canonicalize-existing "$2")"
cd "$(dirname "$0")/.."
port="${PORT:-18080}"
base="http://127.0.0.1:$port"
token="container-check-$$"
container="" process=""
scratch="$(mktemp -d)"
trap 'stop || true; rm -rf "$scratch"' EXIT

fail() {
  echo "container_check: $1" >&2
  [ ! -s "$scratch/log" ] || tail -n 20 "$scratch/log" >&2
  exit 1
}

works() {
  case "$1" in
    docker) docker info >/dev/null 2>&1 ;;
    *) "$1" info >/dev/null 2>&1 ;;
  esac
}

pick() {
  local name
  for name in ${BUILDER:-docker podman buildah}; do
    if works "$name"; then
      echo "$name"
      return
    fi
  done
  fail "none of ${BUILDER:-docker, podman and buildah} works here"
}

build() {
  # shellcheck disable=SC2086 # several flags in one variable
  case "$builder" in
    buildah) buildah bud --isolation chroot ${BUILD_FLAGS:-} --target serve -t edge . ;;
    *) "$builder" build ${BUILD_FLAGS:-} --target serve -t edge . ;;
  esac
}

# Read-only as in docker-compose.yml; buildah runs it in the foreground, on the network of this machine.
start() {
  local mounts=()
  [ -z "$store" ] || mounts+=(--volume "$store:/var/lib/edge/store:ro")
  [ -z "$config" ] || mounts+=(--volume "$config:/var/lib/edge/edge.toml:ro")
  if [ "$builder" = buildah ]; then
    container="$(buildah from --pull-never localhost/edge)"
    buildah run --isolation chroot --env EDGE_SERVE_TOKEN="$token" "${mounts[@]}" "$container" -- \
      edge serve --listen "0.0.0.0:$port" >"$scratch/log" 2>&1 &
    process=$!
    return
  fi
  container="$("$builder" run --detach --read-only --tmpfs /tmp --publish "127.0.0.1:$port:8000" \
    --env EDGE_SERVE_TOKEN="$token" "${mounts[@]}" edge)"
}

# Asks the program to end, and returns its status.
stop() {
  local status=0 child="$process"
  if [ -n "$process" ]; then
    # The program is the last of buildah's descendants; a signal to buildah would kill it outright.
    while true; do
      local next
      next="$(pgrep --parent "$child" | head -n 1 || true)"
      [ -n "$next" ] || break
      child="$next"
    done
    kill -TERM "$child" 2>/dev/null || true
    wait "$process" || status=$?
    buildah rm "$container" >/dev/null
  elif [ -n "$container" ]; then
    "$builder" stop "$container" >/dev/null
    status="$("$builder" inspect --format '{{.State.ExitCode}}' "$container")"
    "$builder" logs "$container" >"$scratch/log" 2>&1 || true
    "$builder" rm "$container" >/dev/null
  fi
  container="" process=""
  return "$status"
}

# Asks a path until it answers with a status for good; prints the body.
asked() {
  local path="$1" wanted="$2" code=""
  for _ in $(seq 120); do
    code="$(curl --silent --output "$scratch/body" --write-out '%{http_code}' "$base$path" || true)"
    if [ "$code" = "$wanted" ] && ! grep -q 'is being loaded' "$scratch/body"; then
      cat "$scratch/body"
      echo
      return
    fi
    [ -z "${process:-}" ] || kill -0 "$process" 2>/dev/null || fail "the program ended"
    sleep 1
  done
  fail "$path answers ${code:-nothing} instead of $wanted: $(cat "$scratch/body" 2>/dev/null)"
}

builder="$(pick)"
[ -x dist/bin/edge ] || fail "dist/ is not there: run \`make dist\`"
! curl --silent --output /dev/null "$base/healthz" || fail "port $port is taken: set PORT"
build
start
# By way of a variable: a failure within an echo would be lost.
body="$(asked /healthz 200)"
echo "healthz: 200 $body"
wanted=200
[ -n "$store" ] || wanted=503
body="$(asked /readyz "$wanted")"
echo "readyz: $wanted $body"
[ -n "$store" ] || grep -q '"detail":"[^"]' <<<"$body" || fail "/readyz says 503 without a reason"
code="$(curl --silent --output /dev/null --write-out '%{http_code}' "$base/v1/model" || true)"
[ "$code" = 401 ] || fail "/v1/model without a token answers $code instead of 401"
stop || fail "asked to end, the program ended with $? instead of 0"
echo "container_check: the image answers (by $builder)"
