#!lua
--[[ append-dm: stores a message between two users, once per ref.
  Why a script: dedupe, block, stranger count, dense id and log as one.     Cost: O(1); a retry that misses: O(log)
  KEYS log       stream of messages
  KEYS state     hash: head, and by user: read, recv, block, follow, spoke, count, since
  KEYS ref       string, the id this ref was stored under; gone after ref_ttl
  ARGV from      the sender
  ARGV other     the recipient
  ARGV guard     check: blocks and the stranger limit bind the sender | free
  ARGV retry     1: the ref may be older than its key | 0
  ARGV needle    what an entry with this sender and ref starts with
  ARGV tail      the entry: the message's JSON without braces, op and id
  ARGV limit     messages to a stranger, 0 for no limit
  ARGV window    ms after which the stranger count ends
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet log is kept
  ARGV ref_ttl   ms a ref is remembered by its own key
  ARGV quiet     ms after which a conversation that wakes up is noted in the sender's list
  RETURNS        ok <id> <tail> <note> | dup <id> <tail> <note> | blocked | stranger_limit
                 a dup's tail is the stored one, or empty; note: 1 if the sender's list should be told
]]
local log, state, ref = KEYS[1], KEYS[2], KEYS[3]
local from, other, guard, retry, needle, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local limit, window, maxlen, ttl, ref_ttl, quiet = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]
-- @include next-id
-- @include find-ref
-- @include append-entry

local first = redis.call('GET', ref)
if not first and retry == '1' then
  first = find_ref(log, needle)
end
if first then
  local stored = redis.call('XRANGE', log, first, first)[1]
  return { 'dup', first, stored and stored[2][2] or '', '1' }
end

local facts = redis.call('HMGET', state, 'head', 'block:' .. other, 'follow:' .. other, 'spoke:' .. other,
  'spoke:' .. from, 'count:' .. from, 'since:' .. from)
local head, blocked, followed, answered, spoke = facts[1], facts[2], facts[3], facts[4], facts[5]
local count, since = tonumber(facts[6] or 0), tonumber(facts[7] or 0)
if guard == 'check' and blocked then
  return { 'blocked' }
end
local id, ms = next_id(head)
local changes = { 'head', id, 'read:' .. from, id }
if not spoke and guard == 'check' then
  changes[#changes + 1] = 'spoke:' .. from
  changes[#changes + 1] = '1'
end
if guard == 'check' and limit ~= '0' and not followed and not answered then
  if ms - since >= tonumber(window) then
    count, since = 0, ms
  end
  if count >= tonumber(limit) then
    return { 'stranger_limit' }
  end
  for _, change in ipairs({ 'count:' .. from, count + 1, 'since:' .. from, string.format('%.0f', since) }) do
    changes[#changes + 1] = change
  end
end
append_entry(log, id, ms, head, tail, maxlen, ttl)
redis.call('HSET', state, unpack(changes))
redis.call('SET', ref, id, 'PX', ref_ttl)
local slept = not head or ms - string.match(head, '^%d+') > tonumber(quiet)
return { 'ok', id, tail, slept and '1' or '0' }
