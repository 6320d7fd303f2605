#!lua
--[[ claim: takes on the reaping of a dead node, or takes it over from a reaper that didn't finish.
  Why a script: one reaper at a time.     Cost: O(log nodes)
  KEYS nodes     sorted set, node id → end of its lease, ms
  KEYS reaping   sorted set, node id → until when its reaper has time, ms
  KEYS info      hash, node id → what /stats says of it, JSON
  ARGV node      the dead node's id
  ARGV span      ms the reaper has
  RETURNS        ok | not_ours: it lives, or another reaps it
]]
local nodes, reaping, info = KEYS[1], KEYS[2], KEYS[3]
local node, span = ARGV[1], ARGV[2]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = tonumber(redis.call('ZSCORE', nodes, node) or redis.call('ZSCORE', reaping, node))
if not ends or ends > now then
  return { 'not_ours' }
end
redis.call('ZREM', nodes, node)
redis.call('HDEL', info, node)
redis.call('ZADD', reaping, string.format('%.0f', now + span), node)
return { 'ok' }
