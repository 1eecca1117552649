#!/usr/bin/env bash
# Fetches libtorch once, checks it, and writes .cargo/config.toml so that plain cargo finds it.
#   env/setup.sh          fetch what is missing (progress on stderr)
#   env/setup.sh --check  only verify; exit 1 with what to run when something is wrong
# EDGE_CACHE    where libtorch is kept (default: the user's cache folder, outside of the clone)
# EDGE_TORCH    cpu (default) or cuda: a whole torch with its CUDA libraries in a virtual environment
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.11.0
variant="${EDGE_TORCH:-cpu}"
cache="${EDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edge}"
home="$cache/libtorch-$version-$variant"

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null 2>&1 || fail "$1 is missing: install $2"; }

# A libtorch is whole when its list of sizes, written last, still holds.
whole() {
  [ -f "$home/complete" ] || return 1
  while read -r size file; do
    [ "$(stat -c %s "$home/$file" 2>/dev/null)" = "$size" ] || return 1
  done <"$home/complete"
}

fetch_cpu() {
  mkdir -p "$cache"
  work="$(mktemp -d "$cache/fetch.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  echo "setup: fetching libtorch $version for CPU (about 540 MB, once) into $home" >&2
  python3 -m pip download --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --implementation cp --python-version 3.11 --abi cp311 --abi none \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --progress-bar on -d "$work/wheels" -r env/libtorch.txt >&2 ||
    fail "download failed or a hash did not match: check the network and run \`make setup\` again"
  echo "setup: unpacking" >&2
  python3 env/unpack_libtorch.py "$work/wheels" "$work/libtorch" || fail "a wheel could not be unpacked: run \`make setup\` again"
  rm -rf "$home"
  mv "$work/libtorch" "$home"
}

fetch_cuda() {
  echo "setup: installing torch $version with its CUDA libraries (about 3 GB, once) into $home" >&2
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --disable-pip-version-check --progress-bar on "torch==$version" setuptools numpy >&2 ||
    fail "torch could not be installed: check the network and run \`EDGE_TORCH=cuda make setup\` again"
  local site
  site="$("$home/bin/python" -c 'import torch, pathlib; print(pathlib.Path(torch.__file__).parent)')"
  ln -sfn "$site/lib" "$home/torch-lib"
  (cd "$home" && stat -L -c '%s %n' torch-lib/libtorch_cpu.so torch-lib/libtorch_cuda.so torch-lib/libc10.so) >"$home/complete.part"
  mv "$home/complete.part" "$home/complete"
}

write_cargo_config() {
  local settings library_dir
  if [ "$variant" = cuda ]; then
    library_dir="$home/torch-lib"
    settings="LIBTORCH_USE_PYTORCH = \"1\"
PATH = \"$home/bin:$PATH\""
  else
    library_dir="$home/lib"
    settings="LIBTORCH = \"$home\""
  fi
  local flags="[\"-C\", \"link-arg=-Wl,-rpath,$library_dir\"]"
  local text="# Written by env/setup.sh; not under version control.
[env]
$settings

[build]
rustflags = $flags
rustdocflags = $flags"
  mkdir -p .cargo
  # Left alone when unchanged, so that cargo does not build the world again.
  [ "$(cat .cargo/config.toml 2>/dev/null)" = "$text" ] || printf '%s\n' "$text" >.cargo/config.toml
}

case "$(uname -sm)" in
  "Linux x86_64") ;;
  *) fail "only Linux on x86-64 is supported, this is $(uname -sm)" ;;
esac
case "$variant" in cpu | cuda) ;; *) fail "EDGE_TORCH is cpu or cuda, not '$variant'" ;; esac

if [ "${1:-}" = --check ]; then
  whole || fail "libtorch $version ($variant) at $home is missing or incomplete: run \`make setup\`"
  [ -f .cargo/config.toml ] || fail ".cargo/config.toml is missing: run \`make setup\`"
  exit 0
fi

need python3 "Python 3 with pip"
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing: install Python's pip package"
need c++ "a C++ compiler"
need cargo "Rust"
whole || "fetch_$variant"
whole || fail "libtorch at $home is incomplete after the download: remove it and run \`make setup\` again"
write_cargo_config
