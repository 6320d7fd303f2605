#!/bin/sh
# Starts a sentinel that goes by the name given as argument. What it has learnt lies in its volume: sentinels that
# forgot a failover would make the old master the master again.
set -eu

case "${REDIS_URL:-}" in
  redis+sentinel://*/starling) ;;
  *) echo 'The profile sentinel wants REDIS_URL=redis+sentinel://sentinel-1,sentinel-2,sentinel-3/starling, in .env or before the command.' >&2
     exit 1 ;;
esac

if ! [ -e /data/sentinel.conf ]; then
  cat >/data/sentinel.conf <<EOF
protected-mode no
dir /data
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $1
sentinel monitor starling redis 6379 2
sentinel down-after-milliseconds starling 5000
sentinel failover-timeout starling 15000
EOF
fi
exec redis-sentinel /data/sentinel.conf
