#!lua flags=allow-cross-slot-keys
--[[ join: makes connections sessions of their users.
  Why a script: limit, first-session decision, lists and what the session starts from, of one moment.
  Cost: O(jobs × (sessions + groups))
  KEYS here      see lib/run-jobs
  ARGV to        prefix of the nodes' channels, see lib/post
  ARGV max       most sessions of a user
  ARGV forget    ms after which a device that wasn't seen is forgotten
  JOB  own       what the keys of the user start with: sessions (session → <node id> <json>), devices (device →
                 <received position> <last seen ms>), state (inbox head; nodes, the ids of those that hold a session;
                 number of the last change of presence), inbox, groups, profile (name, avatar, token_name)
  JOB  held      the key of the owners of this bucket of which the node holds a socket
  JOB  online    the key of this bucket's users who are online
  JOB  user      who
  JOB  session   UUID
  JOB  node      node id
  JOB  device    device id
  JOB  info      the session as clients see it, JSON
  JOB  name      the name in the token, or empty
  JOB  now       ms, to note when the device was seen
  RETURNS        of each: {<came> <inbox head> <oldest inbox id> <device position> <sessions> <devices>, name, avatar,
                 the session frame, a group*} | full
                 the first, a text of six, has a - for the oldest id of an empty inbox and the position of a new device;
                 came: the number of this change of presence, 0 if the user was online; frame: empty for the only session
  PUBLISHES      the session frame on the channel of each node that holds the user, if this is not the only session
]]
local to, max, forget = ARGV[1], ARGV[2], ARGV[3]
max, forget = tonumber(max), tonumber(forget)
-- @include run-jobs
-- @include post
-- @include session-frame
-- @include note-nodes

-- Lets go of the devices that weren't seen for long, once there are many, and of more than 100 of the one unseen for
-- longest: whoever makes up a new one for every hello shall not have scripts read them all. Returns how many are left.
local function forget_devices(devices, device, now)
  local count = redis.call('HLEN', devices)
  if count <= 16 then
    return count
  end
  local all = redis.call('HGETALL', devices)
  local oldest, oldest_seen = nil, nil
  for i = 1, #all, 2 do
    local seen = tonumber(string.match(all[i + 1], '%S+$'))
    if seen < now - forget then
      count = count - redis.call('HDEL', devices, all[i])
    elseif all[i] ~= device and (not oldest or seen < oldest_seen) then
      oldest, oldest_seen = all[i], seen
    end
  end
  if count > 100 then
    count = count - redis.call('HDEL', devices, oldest)
  end
  return count
end

return run_jobs(4, 10, function(own, held, online, user, session, node, device, info, name, now)
  local sessions = redis.call('HVALS', own .. 'sessions')
  if #sessions >= max then
    return 'full'
  end
  sessions[#sessions + 1] = node .. ' ' .. info
  redis.call('HSET', own .. 'sessions', session, sessions[#sessions])
  redis.call('SADD', held, 'user:' .. user)
  local state, came = own .. 'state', 0
  if redis.call('ZADD', online, 0, user) == 1 then
    came = redis.call('HINCRBY', state, 'presence', 1)
  end

  local noted = redis.call('HMGET', state, 'head', 'nodes')
  local head, nodes = noted[1], note_nodes(state, noted[2], sessions)
  local devices = own .. 'devices'
  local known = redis.call('HGET', devices, device)
  local position = known and string.match(known, '^%S+') or '-'
  redis.call('HSET', devices, device, (known and position or head or '0-0') .. ' ' .. now)
  local count = known and redis.call('HLEN', devices) or forget_devices(devices, device, tonumber(now))

  local facts = redis.call('HMGET', own .. 'profile', 'name', 'avatar', 'token_name')
  if name ~= '' and name ~= facts[3] then
    redis.call('HSET', own .. 'profile', 'token_name', name)
    facts[3] = name
  end

  local frame = ''
  if #sessions > 1 then
    frame = session_frame(sessions)
    post(nodes, 's', 'user:' .. user, #sessions .. '/' .. count, frame, '', '')
  end
  local oldest = head and redis.call('XRANGE', own .. 'inbox', '-', '+', 'COUNT', 1)[1]
  local start = came .. ' ' .. (head or '0-0') .. ' ' .. (oldest and oldest[1] or '-') .. ' ' .. position
  local reply = { start .. ' ' .. #sessions .. ' ' .. count, facts[1] or facts[3] or '', facts[2] or '', frame }
  for _, group in ipairs(redis.call('SMEMBERS', own .. 'groups')) do
    reply[#reply + 1] = group
  end
  return reply
end)
