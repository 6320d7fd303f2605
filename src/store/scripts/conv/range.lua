#!lua flags=no-writes
--[[ range: a stretch of a conversation's log, no further back than the user may see.
  Why a script: the right to read and what is read, of one moment.     Cost: O(count)
  KEYS log       stream of messages
  KEYS state     hash: head; of a group its history setting
  KEYS members   hash, user → role, joined-at id, muted-until
  ARGV kind      dm | group | channel
  ARGV user      who asks
  ARGV order     forward: from the low end | back: from the high end
  ARGV low       XRANGE bound
  ARGV high      XRANGE bound
  ARGV count     entries at most
  RETURNS        ok <head> <floor> <first> {<id> <tail>}*; floor: the id one joined at, where that bounds one, else 0-0;
                 first: the oldest id in the log, else empty | not_found | not_member
]]
local log, state, members = KEYS[1], KEYS[2], KEYS[3]
local kind, user, order, low, high, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
-- @include later
-- @include member

local facts = redis.call('HMGET', state, 'head', 'history')
local head, history = facts[1], facts[2]
local floor = '0-0'
if kind == 'group' then
  if not head then
    return { 'not_found' }
  end
  local role, joined = member(members, user)
  if not role then
    return { 'not_member' }
  end
  if history == 'joined' then
    floor = joined
  end
end
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
local reply = { 'ok', head or '0-0', floor, first and first[1] or '' }
if floor ~= '0-0' and (low == '-' or later(floor, (string.gsub(low, '^%(', '')))) then
  low = floor
end
local entries
if order == 'forward' then
  entries = redis.call('XRANGE', log, low, high, 'COUNT', count)
else
  entries = redis.call('XREVRANGE', log, high, low, 'COUNT', count)
end
for _, entry in ipairs(entries) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = entry[2][2]
end
return reply
