#!lua
--[[ offline: ends a user's presence if no session has come back within the grace of the last one.
  Why a script: once, however many nodes ask.     Cost: O(1)
  KEYS sessions  hash, session → <node id> <json>
  KEYS state     hash: number of the last change of presence; last_left, the session whose leaving left none
  KEYS online    sorted set of this bucket's users who are online
  ARGV user      who
  ARGV session   whose grace has ended; another that left later has a grace of its own
  RETURNS        gone <number of this change>, the same when asked again | stays
]]
local sessions, state, online = KEYS[1], KEYS[2], KEYS[3]
local user, session = ARGV[1], ARGV[2]

if redis.call('HLEN', sessions) > 0 or redis.call('HGET', state, 'last_left') ~= session then
  return { 'stays' }
end
if redis.call('ZREM', online, user) == 1 then
  return { 'gone', tostring(redis.call('HINCRBY', state, 'presence', 1)) }
end
-- Taken offline before: by this very call, whose answer was lost, or by the reaper. Telling it twice does no harm.
return { 'gone', redis.call('HGET', state, 'presence') or '0' }
