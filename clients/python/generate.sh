#!/usr/bin/env bash
# Writes the Python client `edge_client` from an endpoint's own contract: generate.sh URL [FOLDER]
# Wants openapi-python-client; what it writes wants httpx and attrs. Nothing of it is kept in this repository.
set -euo pipefail
url="${1:?usage: generate.sh http://127.0.0.1:8000 [FOLDER]}"
folder="${2:-$(dirname "$0")}"
# Counters are for Prometheus; the generator says that it leaves them out.
openapi-python-client generate --url "${url%/}/openapi.json" --meta none --overwrite --output-path "$folder/edge_client"
