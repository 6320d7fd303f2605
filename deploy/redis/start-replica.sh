#!/bin/sh
# Starts a replica of `redis` that goes by the name given as argument. Its configuration lies with its data, where the
# sentinels have it written what it is after a failover: a new master that restarts must not follow the old one.
set -eu
if ! [ -e /data/redis.conf ]; then
  printf '%s\n' 'include /etc/redis/redis.conf' 'replicaof redis 6379' "replica-announce-ip $1" >/data/redis.conf
fi
exec redis-server /data/redis.conf
