#!lua
--[[ describe: changes what a user shows of themselves.
  Why a script: what was there before and what is there now, of one moment.     Cost: O(1)
  KEYS profile   hash: name, avatar, token_name, pass, guest
  ARGV name      set | clear | keep
  ARGV new_name  the name, where set
  ARGV avatar    set | clear | keep
  ARGV new_avatar  the avatar, where set
  RETURNS        ok <old name> <name> <token name> <avatar>, empty where there is none
]]
local profile = KEYS[1]
local name, new_name, avatar, new_avatar = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local function change(field, how, value)
  if how == 'set' then
    redis.call('HSET', profile, field, value)
  elseif how == 'clear' then
    redis.call('HDEL', profile, field)
  end
end

local old = redis.call('HGET', profile, 'name')
change('name', name, new_name)
change('avatar', avatar, new_avatar)
local facts = redis.call('HMGET', profile, 'name', 'token_name', 'avatar')
return { 'ok', old or '', facts[1] or '', facts[2] or '', facts[3] or '' }
