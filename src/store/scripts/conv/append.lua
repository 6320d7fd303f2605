#!lua
--[[ append: stores a message in a group or channel, once per ref, and publishes it to the nodes that care.
  Why a script: membership, dedupe, dense id, log and publish as one.     Cost: O(nodes); a retry that misses: O(log)
  KEYS log       stream of messages
  KEYS state     hash: head, and what the group is
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS nodes     set, ids of the gateways to tell
  KEYS reads     hash, user → read position
  KEYS ref       string, the id this ref was stored under; gone after ref_ttl
  ARGV from      the sender
  ARGV guard     member: the sender must be one, and not muted | group: it must exist | channel
  ARGV retry     1: the ref may be older than its key | 0
  ARGV needle    what an entry with this sender and ref starts with
  ARGV tail      the entry: the message's JSON without braces, op and id
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV topic     the conversation
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet log is kept
  ARGV ref_ttl   ms a ref is remembered by its own key
  RETURNS        ok <id> | dup <id> | not_found | not_member | muted
  PUBLISHES      the message frame on each node's channel
]]
local log, state, members, nodes, reads, ref = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local from, guard, retry, needle, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local to, topic, maxlen, ttl, ref_ttl = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
-- @include next-id
-- @include find-ref
-- @include append-entry
-- @include member
-- @include tell

local first = redis.call('GET', ref)
if not first and retry == '1' then
  first = find_ref(log, needle)
end
if first then
  return { 'dup', first }
end

local head = redis.call('HGET', state, 'head')
if guard ~= 'channel' and not head then
  return { 'not_found' }
end
local id, ms = next_id(head)
if guard == 'member' then
  local role, _, muted = member(members, from)
  if not role then
    return { 'not_member' }
  end
  if muted > ms then
    return { 'muted' }
  end
  redis.call('HSET', reads, from, id)
end
append_entry(log, id, ms, head, tail, maxlen, ttl)
redis.call('HSET', state, 'head', id)
redis.call('SET', ref, id, 'PX', ref_ttl)
tell(redis.call('SMEMBERS', nodes), to, 'm', topic, id, '{"op":"message","id":"' .. id .. '",' .. tail .. '}')
return { 'ok', id }
