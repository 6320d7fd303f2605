#!lua
--[[ release: takes a user out of what a node holds, once everybody has been told that they left it.
  Why a script: not if a session has come back to the node meanwhile.     Cost: O(1)
  KEYS state     hash: nodes, the ids of those that hold a session
  KEYS held      set, the owners of this bucket of which the node holds a socket
  ARGV user      who
  ARGV node      node id
  RETURNS        ok
]]
local state, held = KEYS[1], KEYS[2]
local user, node = ARGV[1], ARGV[2]
-- @include nodes-of

for _, holder in ipairs(nodes_of(redis.call('HGET', state, 'nodes'))) do
  if holder == node then
    return { 'ok' }
  end
end
redis.call('SREM', held, 'user:' .. user)
return { 'ok' }
