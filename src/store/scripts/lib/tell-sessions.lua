-- Tells the nodes that hold a user what sessions there are, as a `session` frame; the mark says how many sessions
-- and devices, so that a gateway needn't look inside. A value is `<node id> <json>`. Returns the frame.
local function tell_sessions(sessions, devices, nodes, to, topic)
  local shown = {}
  for _, value in ipairs(redis.call('HVALS', sessions)) do
    shown[#shown + 1] = string.match(value, '^%S+ (.*)$')
  end
  local frame = '{"op":"session","sessions":[' .. table.concat(shown, ',') .. ']}'
  tell(redis.call('HKEYS', nodes), to, 's', topic, #shown .. '/' .. redis.call('HLEN', devices), frame)
  return frame
end
