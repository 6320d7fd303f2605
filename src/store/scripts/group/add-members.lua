#!lua
--[[ add-members: takes users into a group, those who aren't in it yet, with one event for all of them.
  Why a script: who may, who is new, the event's id as their joining and its publish as one.     Cost: O(users + nodes)
  KEYS state     hash: head, join
  KEYS log       stream of messages
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS roster    sorted set of the members by name, for pages
  KEYS reads     hash, user → read position
  KEYS nodes     set, ids of the gateways to tell
  ARGV by        who adds: a member, or oneself alone where joining is open
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV topic     the conversation
  ARGV before    the event's JSON without braces, op and id, up to its list of users
  ARGV after     the rest of it
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet log is kept
  REST           the users
  RETURNS        ok <id> <tail> <user>*, those added; nobody new: ok <head> <empty> | not_found | not_member | forbidden
  PUBLISHES      the event on each node's channel
]]
local state, log, members, roster, reads, nodes = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local by, to, topic, before, after, maxlen, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
-- @include next-id
-- @include append-entry
-- @include tell

local facts = redis.call('HMGET', state, 'head', 'join')
local head, join = facts[1], facts[2]
if not head then
  return { 'not_found' }
end
if redis.call('HEXISTS', members, by) == 0 then
  local oneself = #ARGV == 8 and ARGV[8] == by
  if not oneself then
    return { 'not_member' }
  end
  if join ~= 'open' then
    return { 'forbidden' }
  end
end
local id, ms = next_id(head)
local added = {}
for i = 8, #ARGV do
  if redis.call('HSETNX', members, ARGV[i], 'member ' .. id .. ' 0') == 1 then
    redis.call('ZADD', roster, 0, ARGV[i])
    redis.call('HSET', reads, ARGV[i], id)
    added[#added + 1] = ARGV[i]
  end
end
if #added == 0 then
  return { 'ok', head, '' }
end
local tail = before .. '["' .. table.concat(added, '","') .. '"]' .. after
append_entry(log, id, ms, head, tail, maxlen, ttl)
redis.call('HSET', state, 'head', id)
tell(redis.call('SMEMBERS', nodes), to, 'm', topic, id, '{"op":"message","id":"' .. id .. '",' .. tail .. '}')
local reply = { 'ok', id, tail }
for _, user in ipairs(added) do
  reply[#reply + 1] = user
end
return reply
