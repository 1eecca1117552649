#!/usr/bin/env sh
# Takes the pictures of the README anew: the report, the slate page, the game page of the sample.
# Wants chromium and node, and `npm ci` in crates/report/tests/browser.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo run --locked -p report --example sample "$folder"
cargo run --locked -p report --example pages "$folder"
mkdir -p docs/images
node crates/report/tests/browser/pictures.mjs "$folder" docs/images
