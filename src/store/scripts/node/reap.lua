#!lua
--[[ reap: takes a dead node out of one bucket, some owners at a time.
  Why a script: each owner's lists as one, and who went offline is decided once.     Cost: O(count × (sessions + nodes))
  KEYS held      set, the owners of this bucket of which the node held a socket
  KEYS untold    hash: what calls of the node have still to tell
  KEYS online    sorted set of this bucket's users who are online
  ARGV node      the dead node's id
  ARGV bucket    what the keys of this bucket start with; the owners' keys are made from it
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV count     owners at most
  RETURNS        ok <owners left> <sessions removed> <calls cut short> {<user> <number of this change of presence>}*, those who went offline
  PUBLISHES      the session frame of each user who has sessions elsewhere
]]
local held, untold, online = KEYS[1], KEYS[2], KEYS[3]
local node, bucket, to, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include tell
-- @include session-frame
-- @include tell-sessions
-- @include note-nodes
-- @include nodes-of
-- @include change-nodes

local removed, gone = 0, {}
for _, owner in ipairs(redis.call('SPOP', held, count)) do
  local keys = bucket .. owner .. ':'
  local state = keys .. 'state'
  local noted = redis.call('HGET', state, 'nodes')
  local user = string.match(owner, '^user:(.*)$')
  if user then
    local sessions, left = redis.call('HGETALL', keys .. 'sessions'), {}
    for i = 1, #sessions, 2 do
      if string.match(sessions[i + 1], '^%S+') == node then
        removed = removed + redis.call('HDEL', keys .. 'sessions', sessions[i])
      else
        left[#left + 1] = sessions[i + 1]
      end
    end
    local nodes = note_nodes(state, noted, left)
    if #left > 0 then
      tell_sessions(left, keys .. 'devices', nodes, to, owner)
    else
      -- Whether or not the node took them offline itself: it may have died before it told anybody.
      redis.call('ZREM', online, user)
      redis.call('HDEL', state, 'last_left') -- a leaving that is said again is none any more
      gone[#gone + 1] = user
      gone[#gone + 1] = tostring(redis.call('HINCRBY', state, 'presence', 1))
    end
  else
    change_nodes(state, noted, node, false)
  end
end
local left, cut = redis.call('SCARD', held), redis.call('HLEN', untold)
return { 'ok', tostring(left), tostring(removed), tostring(cut), unpack(gone) }
