#!lua
--[[ renew: keeps a node's lease, and lists the leases that have lapsed.
  Why a script: Redis' clock, and lost means lost.     Cost: O(log nodes + lapsed)
  KEYS nodes     sorted set, node id → end of its lease, ms
  KEYS reaping   sorted set, node id → until when its reaper has time, ms
  KEYS info      hash, node id → what /stats says of it, JSON
  ARGV node      node id
  ARGV lease     ms
  ARGV first     1: take a lease | 0: only keep one
  ARGV about     what /stats says, JSON
  RETURNS        ok <node>*, those to be reaped | lost
]]
local nodes, reaping, info = KEYS[1], KEYS[2], KEYS[3]
local node, lease, first, about = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if first == '0' and not redis.call('ZSCORE', nodes, node) then
  return { 'lost' }
end
redis.call('ZADD', nodes, string.format('%.0f', now + lease), node)
redis.call('HSET', info, node, about)
local reply = { 'ok' }
for _, set in ipairs({ nodes, reaping }) do
  for _, lapsed in ipairs(redis.call('ZRANGE', set, '-inf', string.format('%.0f', now), 'BYSCORE')) do
    reply[#reply + 1] = lapsed
  end
end
return reply
