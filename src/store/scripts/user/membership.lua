#!lua
--[[ membership: notes in the user's own books that they are now in a group or out of it, and tells them.
  Why a script: the list, the inbox and the order to the nodes as one, in order with other messages.     Cost: O(nodes)
  KEYS groups    set of group ids
  KEYS inbox     stream: the offline queue
  KEYS state     hash: inbox head
  KEYS nodes     hash, node id → how many of the sessions it holds
  ARGV change    enter | exit
  ARGV user      who
  ARGV group     the group's id
  ARGV id        the event's id
  ARGV tail      the event: its JSON without braces, op and id
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet inbox is kept
  RETURNS        ok <position> | same: nothing was to be done
  PUBLISHES      the order to follow or to let go, then the event, on the channel of each node that holds the user
]]
local groups, inbox, state, nodes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local change, user, group, id, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local to, maxlen, ttl = ARGV[6], ARGV[7], ARGV[8]
-- @include next-id
-- @include append-entry
-- @include tell

if redis.call(change == 'enter' and 'SADD' or 'SREM', groups, group) == 0 then
  return { 'same' }
end
local head = redis.call('HGET', state, 'head')
local position, ms = next_id(head)
local entry = '"id":"' .. id .. '",' .. tail
append_entry(inbox, position, ms, head, entry, maxlen, ttl)
redis.call('HSET', state, 'head', position)
local told = redis.call('HKEYS', nodes)
local topic = 'user:' .. user
tell(told, to, 'c', topic, position, '{"do":"' .. change .. '","user":"' .. user .. '","group":"' .. group .. '","id":"' .. id .. '"}')
tell(told, to, 'm', topic, position, '{"op":"message",' .. entry .. ',"inbox":"' .. position .. '"}')
return { 'ok', position }
