#!lua
--[[ tell: passes a frame on to the nodes that hold a user; nothing is kept.
  Why a script: the nodes stand in this bucket.     Cost: O(nodes)
  KEYS state     hash: nodes, the ids of those that hold a session
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV kind      f: to all sessions | t: to those that are not behind | o: to all but the session in mark | c: an order to the gateways
  ARGV topic     the user
  ARGV mark      a session, or -
  ARGV frame     ready to send
  RETURNS        ok <nodes told>
  PUBLISHES      the frame on each node's channel
]]
local state = KEYS[1]
local to, kind, topic, mark, frame = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- @include tell
-- @include nodes-of

local told = nodes_of(redis.call('HGET', state, 'nodes'))
tell(told, to, kind, topic, mark, frame)
return { 'ok', tostring(#told) }
