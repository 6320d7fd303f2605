#!lua
--[[ register: makes an account, with its first refresh token.
  Why a script: the id is given once, however many ask for it.     Cost: O(log users of the bucket)
  KEYS profile   hash: name, avatar, token_name, word, pass, guest
  KEYS devices   hash: somebody with a token from elsewhere has been here as this user
  KEYS refresh   hash, digest of a refresh token → its end, Unix ms
  KEYS people    sorted set of this bucket's users by what one finds them by: <word> NUL <user>
  ARGV user      who
  ARGV pass      the password's hash; empty: a guest, who has none
  ARGV name      empty: none
  ARGV word      what the name is found by; empty: no name
  ARGV own       what the id is found by
  ARGV digest    of the refresh token
  ARGV ttl       ms the refresh token lives; a guest who doesn't come back for so long is forgotten
  RETURNS        ok | conflict
]]
local profile, devices, refresh, people = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local user, pass, name, word, own, digest, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
-- @include note-refresh

if redis.call('EXISTS', profile, devices) > 0 then
  return { 'conflict' }
end
if pass == '' then
  redis.call('HSET', profile, 'guest', '1')
  redis.call('PEXPIRE', profile, ttl)
else
  redis.call('HSET', profile, 'pass', pass)
end
redis.call('ZADD', people, 0, own .. '\0' .. user)
if name ~= '' then
  redis.call('HSET', profile, 'name', name, 'word', word)
  redis.call('ZADD', people, 0, word .. '\0' .. user)
end
note_refresh(refresh, digest, ttl)
return { 'ok' }
