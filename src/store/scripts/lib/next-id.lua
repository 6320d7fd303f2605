-- The id after `last`: Redis' clock, which stands still during a script, never behind the last id, and the next dense
-- number. Also returns the ms of the new id and of the last one, 0 where there is none. (A number becomes text with 14
-- digits: enough for what is counted, not for a ms.)
local now, now_text
local function next_id(last)
  if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
    now_text = string.format('%.0f', now)
  end
  if not last then
    return now_text .. '-1', now, 0
  end
  local dash = string.find(last, '-', 1, true)
  local ms, seq = tonumber(string.sub(last, 1, dash - 1)), tonumber(string.sub(last, dash + 1)) + 1
  if now >= ms then
    return now_text .. string.format('-%d', seq), now, ms
  end
  return string.sub(last, 1, dash) .. string.format('%d', seq), ms, ms
end
