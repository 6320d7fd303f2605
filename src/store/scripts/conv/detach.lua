#!lua
--[[ detach: takes a node from those a conversation is published to.
  Why a script: both notes as one.     Cost: O(1)
  KEYS nodes     set, ids of the gateways to tell
  KEYS held      set, the owners of this bucket of which the node holds a socket
  ARGV conv      the conversation
  ARGV node      the node
  RETURNS        ok
]]
local nodes, held = KEYS[1], KEYS[2]
local conv, node = ARGV[1], ARGV[2]

redis.call('SREM', nodes, node)
redis.call('SREM', held, conv)
return { 'ok' }
