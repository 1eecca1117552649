#!/usr/bin/env bash
# Puts the release binary and the libraries it needs into dist/, for the container or for another machine.
set -euo pipefail
cd "$(dirname "$0")/.."
binary="$(env/target.sh)/release/edge"
[ -x "$binary" ] || { echo "dist: run \`make build\` first" >&2; exit 1; }
libraries="$(sed -n 's/.*-Wl,-rpath,\([^"]*\)".*/\1/p' .cargo/config.toml | head -n 1)"
rm -rf dist
mkdir -p dist/bin dist/lib
install -m 755 "$binary" dist/bin/edge
if [ -e "$libraries/libtorch_cuda.so" ]; then
  # Several GB of libraries: the worker's image takes them out of pip's torch.
  echo "dist: this binary is for GPUs: docker build --target cuda" >&2
else
  for library in libtorch_cpu.so libc10.so libgomp.so.1 libcudart.so.13 libcupti.so.13; do
    install -m 644 "$libraries/$library" "dist/lib/$library"
  done
fi
echo "dist: $(du -sh dist | cut -f1) in dist/" >&2
