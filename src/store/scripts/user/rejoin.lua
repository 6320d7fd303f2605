#!lua
--[[ rejoin: puts right what Redis knows of a node's sessions of one user, after it was away or lost a moment.
  Why a script: lists, counts and presence as one.     Cost: O(sessions + groups)
  KEYS sessions  hash, session → <node id> <json>
  KEYS nodes     hash, node id → how many of the sessions it holds
  KEYS devices   hash, device → <received position> <last seen ms>
  KEYS state     hash: inbox head, number of the last change of presence
  KEYS groups    set of group ids
  KEYS held      set, the owners of this bucket of which the node holds a socket
  KEYS online    sorted set of this bucket's users who are online
  ARGV user      who
  ARGV node      node id
  ARGV to        prefix of the nodes' channels in this bucket
  REST           <session> <json> of each of the node's sessions
  RETURNS        ok <came> <inbox head> <group>*
  PUBLISHES      the session frame on the channel of each node that holds the user, if the list was wrong
]]
local sessions, nodes, devices, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local groups, held, online = KEYS[5], KEYS[6], KEYS[7]
local user, node, to = ARGV[1], ARGV[2], ARGV[3]
-- @include tell
-- @include tell-sessions

local added = 0
for i = 4, #ARGV, 2 do
  added = added + redis.call('HSET', sessions, ARGV[i], node .. ' ' .. ARGV[i + 1])
end
-- Counted, not taken from the call: a join that is done here may not have been answered yet.
local held_here = 0
for _, value in ipairs(redis.call('HVALS', sessions)) do
  if string.match(value, '^%S+') == node then
    held_here = held_here + 1
  end
end
redis.call('HSET', nodes, node, held_here)
redis.call('SADD', held, 'user:' .. user)
local came = redis.call('ZADD', online, 0, user) == 1 and redis.call('HINCRBY', state, 'presence', 1) or 0
if added > 0 then
  tell_sessions(sessions, devices, nodes, to, 'user:' .. user)
end
local reply = { 'ok', tostring(came), redis.call('HGET', state, 'head') or '0-0' }
for _, group in ipairs(redis.call('SMEMBERS', groups)) do
  reply[#reply + 1] = group
end
return reply
