#!/usr/bin/env bash
# What CI lints: format, clippy, docs, import directions, licences and bans.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items --quiet

# Imports point one way: these crates never reach tensors or data frames, not even indirectly.
for crate in market lenses ledger report serve coordinator sweep; do
  for banned in tch polars; do
    if cargo tree --locked --package "$crate" --edges normal,build --prefix none | grep -q "^$banned v"; then
      echo "check: $crate reaches $banned" >&2
      exit 1
    fi
  done
done
# Only one crate lists each of these.
for pair in tch:model polars:data axum:serve; do
  dependency="${pair%%:*}" owner="${pair##*:}"
  for manifest in crates/*/Cargo.toml; do
    if grep -qE "^$dependency( |\.|=)" "$manifest" && [ "$manifest" != "crates/$owner/Cargo.toml" ]; then
      echo "check: $manifest lists $dependency, only $owner may" >&2
      exit 1
    fi
  done
done

if cargo deny --version >/dev/null 2>&1; then
  # Advisories need a download from outside of the registry; the scheduled workflow runs them.
  cargo deny --locked --workspace check bans licenses sources
elif [ "${EDGE_TEST_ALL:-}" = 1 ]; then
  echo "check: cargo-deny is missing: cargo install --locked cargo-deny" >&2
  exit 1
else
  echo "check: skipped cargo-deny, which is not installed (cargo install --locked cargo-deny)" >&2
fi
