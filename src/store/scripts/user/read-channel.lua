#!lua
--[[ read-channel: moves a user's read position in a channel forward, never back; the first sight of a channel sets it.
  Why a script: compare and set as one.     Cost: O(1)
  KEYS reads     hash, channel conversation → read position
  ARGV conv      the channel
  ARGV id        <ms>-<seq>, no later than the head
  ARGV first     1: only if there is none yet | 0
  RETURNS        moved <position> | stale <position>
]]
local reads = KEYS[1]
local conv, id, first = ARGV[1], ARGV[2], ARGV[3]
-- @include later

local current = redis.call('HGET', reads, conv)
if current and (first == '1' or not later(id, current)) then
  return { 'stale', current }
end
redis.call('HSET', reads, conv, id)
return { 'moved', id }
