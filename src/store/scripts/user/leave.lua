#!lua flags=allow-cross-slot-keys
--[[ leave: takes sessions of users away. Presence is decided later, by `offline`, after the grace.
  Why a script: lists and the last one's leaving as one.     Cost: O(jobs × sessions)
  KEYS here      see lib/run-jobs
  ARGV to        prefix of the nodes' channels, see lib/post
  JOB  own       what the keys of the user start with: sessions (session → <node id> <json>), devices, state (nodes, the
                 ids of those that hold a session; last_left, the session whose leaving left none, and its node; number of
                 the last change of presence)
  JOB  held      the key of the owners of this bucket of which the node holds a socket
  JOB  user      who
  JOB  session   UUID
  JOB  node      node id
  RETURNS        of each: <last | more> <online>
                 last: none is left of the user, and this one was the last to leave, also when asked again
                 online: the number of the change by which the user is online still, 0 where none is left but not by this one
  PUBLISHES      the session frame on the channel of each node that still holds the user
]]
local to = ARGV[1]
-- @include run-jobs
-- @include post
-- @include session-frame
-- @include note-nodes

return run_jobs(2, 5, function(own, held, user, session, node)
  local sessions, state = own .. 'sessions', own .. 'state'
  local found = redis.call('HDEL', sessions, session) == 1
  local left = redis.call('HVALS', sessions)
  local facts = redis.call('HMGET', state, 'nodes', 'last_left', 'presence')
  local noted, last_left, online = facts[1], facts[2] or '', facts[3] or '0'
  if not found then
    if #left > 0 then
      return 'more ' .. online
    end
    return string.match(last_left, '^%S+') == session and 'last ' .. online or 'more 0'
  end
  if #left == 0 then
    -- It stays in the node's note until it is let go of: the node may die in the grace.
    redis.call('HSET', state, 'nodes', '', 'last_left', session .. ' ' .. node)
    return 'last ' .. online
  end
  local nodes, stays = note_nodes(state, noted, left), false
  for _, holder in ipairs(nodes) do
    stays = stays or holder == node
  end
  if not stays then
    redis.call('SREM', held, 'user:' .. user)
  end
  post(nodes, 's', 'user:' .. user, #left .. '/' .. redis.call('HLEN', own .. 'devices'), session_frame(left), '', '')
  return 'more ' .. online
end)
