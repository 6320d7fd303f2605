-- Tells the nodes that hold a user what sessions there are, as a `session` frame; the mark says how many sessions
-- and devices, so that a gateway needn't look inside. A session is `<node id> <json>`.
local function tell_sessions(sessions, devices, nodes, to, topic)
  local shown = {}
  for _, session in ipairs(sessions) do
    shown[#shown + 1] = string.match(session, '^%S+ (.*)$')
  end
  local frame = '{"op":"session","sessions":[' .. table.concat(shown, ',') .. ']}'
  tell(nodes, to, 's', topic, #shown .. '/' .. redis.call('HLEN', devices), frame)
end
