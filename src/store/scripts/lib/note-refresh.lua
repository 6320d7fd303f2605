-- Notes a refresh token by its digest, lets go of those that have ended, and of the oldest above 100.
local function note_refresh(refresh, digest, ttl)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local known = redis.call('HGETALL', refresh)
  local oldest, oldest_end, count = nil, nil, 0
  for i = 1, #known, 2 do
    local ends = tonumber(known[i + 1])
    if ends <= now then
      redis.call('HDEL', refresh, known[i])
    else
      count = count + 1
      if not oldest_end or ends < oldest_end then
        oldest, oldest_end = known[i], ends
      end
    end
  end
  if count >= 100 then
    redis.call('HDEL', refresh, oldest)
  end
  redis.call('HSET', refresh, digest, string.format('%.0f', now + ttl))
  redis.call('PEXPIRE', refresh, ttl)
end
