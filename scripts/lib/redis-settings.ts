/** What deploy/redis/redis.conf says, for a Redis that is started without it. */
export const REDIS_SETTINGS: Record<string, string | string[]> = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  save: '',
  rdbcompression: 'no',
  'auto-aof-rewrite-percentage': '300',
  'auto-aof-rewrite-min-size': '256mb',
  'maxmemory-policy': 'noeviction',
  'lazyfree-lazy-expire': 'yes',
  // The default of 32 MB cuts off a gateway that is merely busy.
  'client-output-buffer-limit': ['pubsub', '256mb', '64mb', '60'],
}
