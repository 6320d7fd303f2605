#!lua
--[[ leave: takes one of a user's sessions away. Presence is decided later, by `offline`, after the grace.
  Why a script: lists and counts as one.     Cost: O(sessions)
  KEYS sessions  hash, session → <node id> <json>
  KEYS devices   hash, device → <received position> <last seen ms>
  KEYS state     hash: nodes, the ids of those that hold a session; last_left, the session whose leaving left none
  KEYS held      set, the owners of this bucket of which the node holds a socket
  ARGV user      who
  ARGV session   UUID
  ARGV node      node id
  ARGV to        prefix of the nodes' channels in this bucket
  RETURNS        last: none is left of the user, and this one was the last to leave, also when asked again | more
  PUBLISHES      the session frame on the channel of each node that still holds the user
]]
local sessions, devices, state, held = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local user, session, node, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include tell
-- @include tell-sessions
-- @include note-nodes

if redis.call('HDEL', sessions, session) == 0 then
  local was_last = redis.call('HLEN', sessions) == 0 and redis.call('HGET', state, 'last_left') == session
  return { was_last and 'last' or 'more' }
end
local left = redis.call('HVALS', sessions)
local nodes = note_nodes(state, redis.call('HGET', state, 'nodes'), left)
if #left == 0 then
  -- The last session of all stays in the node's note until `release`: the node may die in the grace.
  redis.call('HSET', state, 'last_left', session)
  return { 'last' }
end
local stays = false
for _, holder in ipairs(nodes) do
  stays = stays or holder == node
end
if not stays then
  redis.call('SREM', held, 'user:' .. user)
end
tell_sessions(left, devices, nodes, to, 'user:' .. user)
return { 'more' }
