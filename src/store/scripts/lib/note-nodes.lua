-- Notes in a user's state which nodes hold one of their sessions, of which each is `<node id> <json>`, where that is not
-- what is noted. Returns these nodes.
local function note_nodes(state, noted, sessions)
  local nodes, seen = {}, {}
  for _, session in ipairs(sessions) do
    local node = string.match(session, '^%S+')
    if not seen[node] then
      seen[node] = true
      nodes[#nodes + 1] = node
    end
  end
  local now_noted = table.concat(nodes, ' ')
  if now_noted ~= (noted or '') then
    redis.call('HSET', state, 'nodes', now_noted)
  end
  return nodes
end
