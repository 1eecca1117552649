#!/usr/bin/env sh
# crontab: 0 */4 * * * /path/to/edge/scripts/cron_fetch.sh
cd "$(dirname "$0")/.." && exec "${EDGE_BINARY:-edge}" fetch "$@"
