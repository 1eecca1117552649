#!/usr/bin/env sh
# The whole night, report and mail included. crontab: 0 9 * * * /path/to/edge/scripts/cron_report.sh
cd "$(dirname "$0")/.." && exec "${EDGE_BINARY:-edge}" nightly "$@"
