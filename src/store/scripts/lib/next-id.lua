-- The id after `last`: Redis' clock, never behind the last id, and the next dense number.
local function next_id(last)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local ms, seq = 0, 0
  if last then
    ms, seq = string.match(last, '^(%d+)-(%d+)$')
  end
  ms = math.max(now, tonumber(ms))
  return string.format('%.0f-%.0f', ms, tonumber(seq) + 1), ms
end
