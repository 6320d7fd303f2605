-- Tells the nodes that hold a user what sessions there are; the mark says how many sessions and devices, so that a
-- gateway needn't look inside.
local function tell_sessions(sessions, devices, nodes, to, topic)
  tell(nodes, to, 's', topic, #sessions .. '/' .. redis.call('HLEN', devices), session_frame(sessions))
end
