#!lua
--[[ remove-member: takes a member out of a group; the event's id is the border behind which they get nothing.
  Why a script: who may, the border and the order to let go, in order with the messages.     Cost: O(nodes)
  KEYS state     hash: head; nodes, the ids of the gateways to tell
  KEYS log       stream of messages
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS roster    sorted set of the members by name, for pages
  KEYS reads     hash, user → read position
  KEYS untold    hash, <group> <event id> → <change> <users> <event>: what the node has still to tell
  ARGV group     the group's id
  ARGV by        who removes: oneself, or one of higher role
  ARGV user      who goes
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV topic     the conversation
  ARGV tail      the event: its JSON without braces, op and id
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet log is kept
  RETURNS        ok <id> | not_found | not_member | no_such_member | forbidden | owner_stays
  PUBLISHES      the order to let the member go, then the event, on each node's channel
]]
local state, log, members, roster, reads, untold = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local group, by, user, to, topic, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local maxlen, ttl = ARGV[7], ARGV[8]
-- @include next-id
-- @include append-entry
-- @include member
-- @include nodes-of
-- @include note-untold
-- @include tell

local facts = redis.call('HMGET', state, 'head', 'nodes')
local head, nodes = facts[1], nodes_of(facts[2])
if not head then
  return { 'not_found' }
end
local rank = { owner = 3, admin = 2, member = 1 }
local own = member(members, by)
if not own then
  return { 'not_member' }
end
local role = member(members, user)
if not role then
  return { 'no_such_member' }
end
if by == user then
  if role == 'owner' and redis.call('HLEN', members) > 1 then
    return { 'owner_stays' }
  end
elseif rank[own] <= rank[role] then
  return { 'forbidden' }
end
local id, ms, last_ms = next_id(head)
redis.call('HDEL', members, user)
redis.call('ZREM', roster, user)
redis.call('HDEL', reads, user)
append_entry(log, id, ms, last_ms, 'm', tail, maxlen, ttl)
redis.call('HSET', state, 'head', id)
tell(nodes, to, 'c', topic, id, '{"do":"exit","user":"' .. user .. '","group":"' .. group .. '","id":"' .. id .. '"}')
tell(nodes, to, 'm', topic, id, '{"op":"message","id":"' .. id .. '",' .. tail .. '}')
note_untold(untold, 'exit', group, id, { user }, tail)
return { 'ok', id }
