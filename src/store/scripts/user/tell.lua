#!lua
--[[ tell: passes a frame on to the nodes that hold a user; nothing is kept.
  Why a script: the nodes lie in this bucket.     Cost: O(nodes)
  KEYS nodes     hash, node id → how many of the sessions it holds
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV kind      f: to all sessions | t: to those that are not behind | o: to all but the session in mark | c: an order to the gateways
  ARGV topic     the user
  ARGV mark      a session, or -
  ARGV frame     ready to send
  RETURNS        ok <nodes told>
  PUBLISHES      the frame on each node's channel
]]
local nodes = KEYS[1]
local to, kind, topic, mark, frame = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- @include tell

local told = redis.call('HKEYS', nodes)
tell(told, to, kind, topic, mark, frame)
return { 'ok', tostring(#told) }
