#!lua
--[[ rotate-refresh: takes a refresh token for a new one. A token works once.
  Why a script: of two who show the same token, one gets the new one.     Cost: O(refresh tokens)
  KEYS refresh   hash, digest of a refresh token → its end, Unix ms
  KEYS profile   hash: name, avatar, token_name, pass, guest
  ARGV old       digest of the token shown
  ARGV digest    of the token to be given
  ARGV ttl       ms it lives
  RETURNS        ok <name> <avatar>, empty where there is none | unknown
]]
local refresh, profile = KEYS[1], KEYS[2]
local old, digest, ttl = ARGV[1], ARGV[2], ARGV[3]
-- @include note-refresh

local ends = redis.call('HGET', refresh, old)
if not ends then
  return { 'unknown' }
end
redis.call('HDEL', refresh, old)
local time = redis.call('TIME')
if tonumber(ends) <= time[1] * 1000 + math.floor(time[2] / 1000) then
  return { 'unknown' }
end
note_refresh(refresh, digest, ttl)
local facts = redis.call('HMGET', profile, 'name', 'avatar', 'guest')
if facts[3] then
  redis.call('PEXPIRE', profile, ttl)
end
return { 'ok', facts[1] or '', facts[2] or '' }
