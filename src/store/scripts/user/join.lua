#!lua
--[[ join: makes a connection one of a user's sessions.
  Why a script: limit, first-session decision, lists and what the session starts from, of one moment.
  Cost: O(sessions + groups)
  KEYS sessions  hash, session → <node id> <json>
  KEYS nodes     hash, node id → how many of the sessions it holds
  KEYS devices   hash, device → <received position> <last seen ms>
  KEYS state     hash: inbox head, number of the last change of presence
  KEYS inbox     stream: the offline queue
  KEYS groups    set of group ids
  KEYS profile   hash: name, avatar, token_name
  KEYS held      set, the owners of this bucket of which the node holds a socket
  KEYS online    sorted set of this bucket's users who are online
  ARGV user      who
  ARGV session   UUID
  ARGV node      node id
  ARGV device    device id
  ARGV info      the session as clients see it, JSON
  ARGV max       most sessions
  ARGV name      the name in the token, or empty
  ARGV now       ms, to note when the device was seen
  ARGV forget    ms after which a device that wasn't seen is forgotten
  ARGV to        prefix of the nodes' channels in this bucket
  RETURNS        ok <came> <inbox head> <oldest inbox id> <device position> <devices> <name> <avatar> <session frame> <group>*
                 came: the number of this change of presence, 0 if the user was online; device position: empty for a new device | full
  PUBLISHES      the session frame on the channel of each node that holds the user
]]
local sessions, nodes, devices, state, inbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local groups, profile, held, online = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local user, session, node, device, info, max, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local now, forget, to = ARGV[8], ARGV[9], ARGV[10]
-- @include tell
-- @include tell-sessions

if redis.call('HLEN', sessions) >= tonumber(max) then
  return { 'full' }
end
redis.call('HSET', sessions, session, node .. ' ' .. info)
redis.call('HINCRBY', nodes, node, 1)
redis.call('SADD', held, 'user:' .. user)
local came = redis.call('ZADD', online, 0, user) == 1 and redis.call('HINCRBY', state, 'presence', 1) or 0

local head = redis.call('HGET', state, 'head') or '0-0'
local known = redis.call('HGET', devices, device)
local position = known and string.match(known, '^%S+') or ''
redis.call('HSET', devices, device, (known and position or head) .. ' ' .. now)
if not known and redis.call('HLEN', devices) > 16 then
  local all = redis.call('HGETALL', devices)
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '%S+$')) < tonumber(now) - tonumber(forget) then
      redis.call('HDEL', devices, all[i])
    end
  end
end

local facts = redis.call('HMGET', profile, 'name', 'avatar', 'token_name')
if name ~= '' and name ~= facts[3] then
  redis.call('HSET', profile, 'token_name', name)
  facts[3] = name
end
local frame = tell_sessions(sessions, devices, nodes, to, 'user:' .. user)
local first = redis.call('XRANGE', inbox, '-', '+', 'COUNT', 1)[1]
local reply = {
  'ok', tostring(came), head, first and first[1] or '', position, tostring(redis.call('HLEN', devices)),
  facts[1] or facts[3] or '', facts[2] or '', frame,
}
for _, group in ipairs(redis.call('SMEMBERS', groups)) do
  reply[#reply + 1] = group
end
return reply
