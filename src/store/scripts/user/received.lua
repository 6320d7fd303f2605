#!lua
--[[ received: notes up to where a device has its user's inbox safe, and trims what every device has.
  Why a script: positions of all devices and the trim as one.     Cost: O(devices + entries newly covered)
  KEYS devices   hash, device → <received position> <last seen ms>
  KEYS state     hash: inbox head; received: the furthest position of any device
  KEYS inbox     stream: the offline queue
  ARGV device    device id
  ARGV position  <ms>-<seq>
  ARGV now       ms, to note when the device was seen
  RETURNS        ok {<message id> <tail>}*, the entries that no device had before, at most 1,000 | stale
]]
local devices, state, inbox = KEYS[1], KEYS[2], KEYS[3]
local device, position, now = ARGV[1], ARGV[2], ARGV[3]
-- @include later

local facts = redis.call('HMGET', state, 'head', 'received')
local head, furthest = facts[1] or '0-0', facts[2] or '0-0'
if later(position, head) then
  position = head
end
local known = redis.call('HGET', devices, device)
if known and not later(position, string.match(known, '^%S+')) then
  return { 'stale' }
end
redis.call('HSET', devices, device, position .. ' ' .. now)
local reply = { 'ok' }
if later(position, furthest) then
  redis.call('HSET', state, 'received', position)
  for _, entry in ipairs(redis.call('XREVRANGE', inbox, position, '(' .. furthest, 'COUNT', 1000)) do
    reply[#reply + 1] = entry[2][1]
    reply[#reply + 1] = entry[2][2]
  end
end
local least = position
for _, value in ipairs(redis.call('HVALS', devices)) do
  local other = string.match(value, '^%S+')
  if later(least, other) then
    least = other
  end
end
local ms, seq = string.match(least, '^(%d+)-(%d+)$')
redis.call('XTRIM', inbox, 'MINID', '~', string.format('%s-%.0f', ms, tonumber(seq) + 1))
return reply
