#!lua
--[[ deliver: puts a dm into a user's inbox and publishes it to the nodes that hold the user.
  Why a script: dense position, inbox, conversation list and publish as one.     Cost: O(nodes)
  KEYS inbox     stream: the offline queue
  KEYS state     hash: inbox head
  KEYS convs     sorted set, dm → last activity ms
  KEYS nodes     hash, node id → how many of the sessions it holds
  ARGV entry     the message's JSON without braces and op
  ARGV conv      the conversation
  ARGV at        ms of the message
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV topic     the user
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet inbox is kept
  RETURNS        ok <position>
  PUBLISHES      the message frame on each node's channel
]]
local inbox, state, convs, nodes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local entry, conv, at, to, topic, maxlen, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
-- @include next-id
-- @include append-entry
-- @include tell

local head = redis.call('HGET', state, 'head')
local position, ms = next_id(head)
append_entry(inbox, position, ms, head, entry, maxlen, ttl)
redis.call('HSET', state, 'head', position)
redis.call('ZADD', convs, 'GT', at, conv)
tell(redis.call('HKEYS', nodes), to, 'm', topic, position, '{"op":"message",' .. entry .. ',"inbox":"' .. position .. '"}')
return { 'ok', position }
