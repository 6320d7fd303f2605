#!lua flags=no-writes
--[[ list-members: a page of a group's members, by name.
  Why a script: the right to know and what is known, of one moment.     Cost: O(log members + count)
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS roster    sorted set of the members by name
  KEYS state     hash: head
  ARGV user      who asks
  ARGV after     the last name of the page before; empty: from the start
  ARGV count     entries at most
  RETURNS        ok <total> {<user> <role> <joined-at id> <muted-until ms>}* | not_found | not_member
]]
local members, roster, state = KEYS[1], KEYS[2], KEYS[3]
local user, after, count = ARGV[1], ARGV[2], ARGV[3]
-- @include member

if redis.call('EXISTS', state) == 0 then
  return { 'not_found' }
end
if redis.call('HEXISTS', members, user) == 0 then
  return { 'not_member' }
end
local low = after == '' and '-' or '(' .. after
local reply = { 'ok', tostring(redis.call('HLEN', members)) }
for _, name in ipairs(redis.call('ZRANGE', roster, low, '+', 'BYLEX', 'LIMIT', 0, count)) do
  local role, joined, muted = member(members, name)
  for _, part in ipairs({ name, role, joined, string.format('%.0f', muted) }) do
    reply[#reply + 1] = part
  end
end
return reply
