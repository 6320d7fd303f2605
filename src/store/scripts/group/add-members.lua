#!lua
--[[ add-members: takes users into a group, those who aren't in it yet, with one event for all of them.
  Why a script: who may, who is new, the event's id as their joining and its publish as one.     Cost: O(users + nodes)
  KEYS state     hash: head, join, and nodes, the ids of the gateways to tell
  KEYS log       stream of messages
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS roster    sorted set of the members by name, for pages
  KEYS reads     hash, user → read position
  KEYS untold    hash, <group> <event id> → <change> <users> <event>: what the node has still to tell
  ARGV group     the group's id
  ARGV by        who adds: a member, or oneself alone where joining is open
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV topic     the conversation
  ARGV before    the event's JSON without braces, op and id, up to its list of users
  ARGV after     the rest of it
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet log is kept
  REST           the users
  RETURNS        ok <id> <tail> {<user> <joined-at id>}*, all of the users: those added joined at <id>;
                 nobody new: ok <head> <empty> … | not_found | not_member | forbidden
  PUBLISHES      the event on each node's channel
]]
local state, log, members, roster, reads, untold = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local group, by, to, topic, before, after = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local maxlen, ttl = ARGV[7], ARGV[8]
-- @include next-id
-- @include append-entry
-- @include member
-- @include nodes-of
-- @include note-untold
-- @include tell

local facts = redis.call('HMGET', state, 'head', 'join', 'nodes')
local head, join, nodes = facts[1], facts[2], nodes_of(facts[3])
if not head then
  return { 'not_found' }
end
if redis.call('HEXISTS', members, by) == 0 then
  local oneself = #ARGV == 9 and ARGV[9] == by
  if not oneself then
    return { 'not_member' }
  end
  if join ~= 'open' then
    return { 'forbidden' }
  end
end
local id, ms, last_ms = next_id(head)
local added, all = {}, {}
for i = 9, #ARGV do
  local user, joined = ARGV[i], id
  if redis.call('HSETNX', members, user, 'member ' .. id .. ' 0') == 1 then
    redis.call('ZADD', roster, 0, user)
    redis.call('HSET', reads, user, id)
    added[#added + 1] = user
  else
    joined = select(2, member(members, user))
  end
  all[#all + 1] = user
  all[#all + 1] = joined
end
if #added == 0 then
  return { 'ok', head, '', unpack(all) }
end
local tail = before .. '["' .. table.concat(added, '","') .. '"]' .. after
append_entry(log, id, ms, last_ms, 'm', tail, maxlen, ttl)
redis.call('HSET', state, 'head', id)
tell(nodes, to, 'm', topic, id, '{"op":"message","id":"' .. id .. '",' .. tail .. '}')
note_untold(untold, 'enter', group, id, added, tail)
return { 'ok', id, tail, unpack(all) }
