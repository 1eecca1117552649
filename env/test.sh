#!/usr/bin/env bash
# Every test: unit, behaviour, property, snapshot and doc tests. `make test` and CI call this same script.
# EDGE_TEST_ALL=1 turns each skip (no chromium, sshd, SMTP server, S3-compatible server, Ray or shared data) into a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo nextest --version >/dev/null 2>&1; then
  echo "test: installing cargo-nextest (once)" >&2
  cargo install --locked cargo-nextest
fi
cargo nextest run --locked --workspace
cargo test --locked --workspace --doc
