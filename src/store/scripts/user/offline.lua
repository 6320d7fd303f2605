#!lua
--[[ offline: ends a user's presence if no session has come back within the grace.
  Why a script: once, however many nodes ask.     Cost: O(1)
  KEYS sessions  hash, session → <node id> <json>
  KEYS state     hash: number of the last change of presence
  KEYS online    sorted set of this bucket's users who are online
  ARGV user      who
  RETURNS        gone <number of this change> | stays
]]
local sessions, state, online = KEYS[1], KEYS[2], KEYS[3]
local user = ARGV[1]

if redis.call('HLEN', sessions) == 0 and redis.call('ZREM', online, user) == 1 then
  return { 'gone', tostring(redis.call('HINCRBY', state, 'presence', 1)) }
end
return { 'stays' }
