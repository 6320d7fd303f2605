#!lua flags=no-writes
--[[ describe: what a group is, for one of its members or, where joining is open, for anybody.
  Why a script: the right to know and what is known, of one moment.     Cost: O(1)
  KEYS state     hash: name, intro, icon, owner, join, history, created
  KEYS members   hash, user → role, joined-at id, muted-until
  ARGV user      who asks
  RETURNS        ok <name> <intro> <icon> <owner> <members> <join> <history> <created ms> | not_found | not_member
]]
local state, members = KEYS[1], KEYS[2]
local user = ARGV[1]

local facts = redis.call('HMGET', state, 'name', 'intro', 'icon', 'owner', 'join', 'history', 'created')
local name, intro, icon, owner, join, history, created = unpack(facts)
if not name then
  return { 'not_found' }
end
if join ~= 'open' and redis.call('HEXISTS', members, user) == 0 then
  return { 'not_member' }
end
return { 'ok', name, intro, icon, owner, tostring(redis.call('HLEN', members)), join, history, created }
