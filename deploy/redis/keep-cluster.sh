#!/bin/sh
# Makes one Redis Cluster of the nodes named as arguments, the first half of them masters, and keeps it together:
# an engine may give its containers new addresses, and when all change at once no node finds another.
set -eu

case "${REDIS_URL:-}" in
  redis+cluster://*) ;;
  *) echo 'The profile redis-cluster wants REDIS_URL=redis+cluster://redis-cluster, in .env or before the command.' >&2
     exit 1 ;;
esac

address() { getent hosts "$1" | cut -d ' ' -f 1; }
info() { redis-cli -h "$1" cluster info; }

# Slots are written down in each node's volume: who has none yet has never been in a cluster.
if info "$1" | grep -q '^cluster_slots_assigned:0'; then
  addresses=
  for node; do addresses="$addresses $(address "$node"):6379"; done
  # shellcheck disable=SC2086
  redis-cli --cluster create $addresses --cluster-replicas 1 --cluster-yes
fi

while :; do
  for node; do
    # A node in good health knows all others by the addresses they have now.
    redis-cli -h "$node" cluster nodes 2>/dev/null | grep -qE 'fail|disconnected|handshake|noaddr' || continue
    for other; do
      to="$(address "$other")" && redis-cli -h "$node" cluster meet "$to" 6379 >/dev/null || true
    done
  done
  sleep 2
done
