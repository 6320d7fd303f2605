#!lua
--[[ release: takes a user out of what a node holds, once everybody has been told that they left it.
  Why a script: not if a session has come back to the node meanwhile.     Cost: O(1)
  KEYS nodes     hash, node id → how many of the sessions it holds
  KEYS held      set, the owners of this bucket of which the node holds a socket
  ARGV user      who
  ARGV node      node id
  RETURNS        ok
]]
local nodes, held = KEYS[1], KEYS[2]
local user, node = ARGV[1], ARGV[2]

if redis.call('HEXISTS', nodes, node) == 0 then
  redis.call('SREM', held, 'user:' .. user)
end
return { 'ok' }
