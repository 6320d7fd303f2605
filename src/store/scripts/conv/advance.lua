#!lua
--[[ advance: moves a user's read or received position in a conversation forward, never back, never past the head.
  Why a script: compare and set as one.     Cost: O(1)
  KEYS state     hash: head
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS positions hash that holds the position: the state of a dm, the reads of a group
  ARGV kind      dm | group
  ARGV user      whose position
  ARGV field     where it stands
  ARGV id        <ms>-<seq>
  RETURNS        moved <position> <head> | stale <position> <head> | not_found | not_member
]]
local state, members, positions = KEYS[1], KEYS[2], KEYS[3]
local kind, user, field, id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include later

local head = redis.call('HGET', state, 'head')
if kind == 'group' then
  if not head then
    return { 'not_found' }
  end
  if redis.call('HEXISTS', members, user) == 0 then
    return { 'not_member' }
  end
end
head = head or '0-0'
if later(id, head) then
  id = head
end
local current = redis.call('HGET', positions, field) or '0-0'
if not later(id, current) then
  return { 'stale', current, head }
end
redis.call('HSET', positions, field, id)
return { 'moved', id, head }
