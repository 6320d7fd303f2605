#!lua
--[[ register: makes an account, with its first refresh token.
  Why a script: the id is given once, however many ask for it.     Cost: O(1)
  KEYS profile   hash: name, avatar, token_name, pass, guest
  KEYS devices   hash: somebody with a token from elsewhere has been here as this user
  KEYS refresh   hash, digest of a refresh token → its end, Unix ms
  ARGV pass      the password's hash; empty: a guest, who has none
  ARGV name      empty: none
  ARGV digest    of the refresh token
  ARGV ttl       ms the refresh token lives; a guest who doesn't come back for so long is forgotten
  RETURNS        ok | conflict
]]
local profile, devices, refresh = KEYS[1], KEYS[2], KEYS[3]
local pass, name, digest, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include note-refresh

if redis.call('EXISTS', profile, devices) > 0 then
  return { 'conflict' }
end
if name ~= '' then
  redis.call('HSET', profile, 'name', name)
end
if pass == '' then
  redis.call('HSET', profile, 'guest', '1')
  redis.call('PEXPIRE', profile, ttl)
else
  redis.call('HSET', profile, 'pass', pass)
end
note_refresh(refresh, digest, ttl)
return { 'ok' }
