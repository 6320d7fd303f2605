#!lua
--[[ describe: changes what a user shows of themselves.
  Why a script: the profile and what one finds the user by, as one.     Cost: O(log users of the bucket)
  KEYS profile   hash: name, avatar, token_name, word, pass, guest
  KEYS people    sorted set of this bucket's users by what one finds them by: <word> NUL <user>
  ARGV user      who
  ARGV own       what the id is found by
  ARGV name      set: a new name | clear | keep
  ARGV new_name  the name, where set
  ARGV word      what it is found by, where set
  ARGV avatar    set | clear | keep
  ARGV new_avatar  the avatar, where set
  RETURNS        ok <name> <token name> <avatar>, empty where there is none
]]
local profile, people = KEYS[1], KEYS[2]
local user, own, name, new_name, word, avatar, new_avatar = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

if name ~= 'keep' then
  local old = redis.call('HGET', profile, 'word')
  if old and old ~= own then
    redis.call('ZREM', people, old .. '\0' .. user)
  end
  redis.call('HDEL', profile, 'name', 'word')
end
if name == 'set' then
  redis.call('HSET', profile, 'name', new_name, 'word', word)
  redis.call('ZADD', people, 0, word .. '\0' .. user)
end
if avatar == 'set' then
  redis.call('HSET', profile, 'avatar', new_avatar)
elseif avatar == 'clear' then
  redis.call('HDEL', profile, 'avatar')
end
if redis.call('EXISTS', profile) == 1 then
  redis.call('ZADD', people, 0, own .. '\0' .. user)
end
local facts = redis.call('HMGET', profile, 'name', 'token_name', 'avatar')
return { 'ok', facts[1] or '', facts[2] or '', facts[3] or '' }
