#!lua
--[[ leave: takes one of a user's sessions away. Presence is decided later, by `offline`, after the grace.
  Why a script: lists and counts as one.     Cost: O(sessions)
  KEYS sessions  hash, session → <node id> <json>
  KEYS nodes     hash, node id → how many of the sessions it holds
  KEYS devices   hash, device → <received position> <last seen ms>
  KEYS state     hash: last_left, the session whose leaving left none
  KEYS held      set, the owners of this bucket of which the node holds a socket
  ARGV user      who
  ARGV session   UUID
  ARGV node      node id
  ARGV to        prefix of the nodes' channels in this bucket
  RETURNS        last: none is left of the user, and this one was the last to leave, also when asked again | more
  PUBLISHES      the session frame on the channel of each node that still holds the user
]]
local sessions, nodes, devices, state, held = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local user, session, node, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include tell
-- @include tell-sessions

if redis.call('HDEL', sessions, session) == 0 then
  local was_last = redis.call('HLEN', sessions) == 0 and redis.call('HGET', state, 'last_left') == session
  return { was_last and 'last' or 'more' }
end
local left = redis.call('HLEN', sessions)
if redis.call('HINCRBY', nodes, node, -1) <= 0 then
  redis.call('HDEL', nodes, node)
  -- The last session of all stays in the node's note until `release`: the node may die in the grace.
  if left > 0 then
    redis.call('SREM', held, 'user:' .. user)
  end
end
if left > 0 then
  tell_sessions(sessions, devices, nodes, to, 'user:' .. user)
else
  redis.call('HSET', state, 'last_left', session)
end
return { left > 0 and 'more' or 'last' }
