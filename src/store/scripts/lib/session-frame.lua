-- The `session` frame of a user's sessions, of which each is `<node id> <json>`.
local function session_frame(sessions)
  local shown = {}
  for _, session in ipairs(sessions) do
    shown[#shown + 1] = string.match(session, '^%S+ (.*)$')
  end
  return '{"op":"session","sessions":[' .. table.concat(shown, ',') .. ']}'
end
