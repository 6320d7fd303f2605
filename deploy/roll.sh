#!/bin/sh
# Replaces all gateways by new ones, one at a time, as compose.yaml and .env have them now: a new image, other settings,
# or just a restart. Each new gateway is ready before an old one drains, so there are never fewer than before.
#
#   docker compose build && deploy/roll.sh
#
# Arguments go to docker compose: deploy/roll.sh -p chat
set -eu
cd "$(dirname "$0")/.."

old="$(docker compose "$@" ps -q gateway)"
count="$(echo "$old" | grep -c .)" || { echo 'No gateway runs here: docker compose up' >&2; exit 1; }

for gateway in $old; do
  docker compose "$@" up -d --no-deps --no-recreate --wait --scale gateway=$((count + 1)) gateway
  # SIGTERM: it sends its clients away over DRAIN_SECONDS; the wait is compose.yaml's stop_grace_period.
  docker stop "$gateway" >/dev/null
  docker rm "$gateway" >/dev/null
done
echo "$count gateways are new."
