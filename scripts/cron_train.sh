#!/usr/bin/env sh
# crontab: 30 2 * * * /path/to/edge/scripts/cron_train.sh
cd "$(dirname "$0")/.." && exec "${EDGE_BINARY:-edge}" train "$@"
