#!lua
--[[ rejoin: puts right what Redis knows of a node's sessions of one user, after it was away or lost a moment.
  Why a script: lists, counts and presence as one.     Cost: O(sessions + groups)
  KEYS sessions  hash, session → <node id> <json>
  KEYS devices   hash, device → <received position> <last seen ms>
  KEYS state     hash: inbox head; nodes, the ids of those that hold a session; number of the last change of presence
  KEYS groups    set of group ids
  KEYS held      set, the owners of this bucket of which the node holds a socket
  KEYS online    sorted set of this bucket's users who are online
  ARGV user      who
  ARGV node      node id
  ARGV to        prefix of the nodes' channels in this bucket
  REST           <session> <json> of each of the node's sessions
  RETURNS        ok <came> <inbox head> <group>*
  PUBLISHES      the session frame on the channel of each node that holds the user, if the list was wrong; else on the
                 node's own, which may have missed it
]]
local sessions, devices, state = KEYS[1], KEYS[2], KEYS[3]
local groups, held, online = KEYS[4], KEYS[5], KEYS[6]
local user, node, to = ARGV[1], ARGV[2], ARGV[3]
-- @include tell
-- @include session-frame
-- @include tell-sessions
-- @include note-nodes

local added = 0
for i = 4, #ARGV, 2 do
  added = added + redis.call('HSET', sessions, ARGV[i], node .. ' ' .. ARGV[i + 1])
end
local facts = redis.call('HMGET', state, 'head', 'nodes')
local all = redis.call('HVALS', sessions)
local nodes = note_nodes(state, facts[2], all)
redis.call('SADD', held, 'user:' .. user)
local came = redis.call('ZADD', online, 0, user) == 1 and redis.call('HINCRBY', state, 'presence', 1) or 0
tell_sessions(all, devices, added > 0 and nodes or { node }, to, 'user:' .. user)
local reply = { 'ok', tostring(came), facts[1] or '0-0' }
for _, group in ipairs(redis.call('SMEMBERS', groups)) do
  reply[#reply + 1] = group
end
return reply
