-- Takes a user out of what a node holds, now that everybody has been told that `session` left it: not if a session has
-- come back to the node meanwhile, nor if one has that left again and whose grace is running.
local function let_go(own, held, user, session, node)
  local facts = redis.call('HMGET', own .. 'state', 'nodes', 'last_left')
  local nodes, last_left = nodes_of(facts[1]), facts[2] or ''
  if #nodes == 0 and string.sub(last_left, -#node - 1) == ' ' .. node and last_left ~= session .. ' ' .. node then
    return
  end
  for _, holder in ipairs(nodes) do
    if holder == node then
      return
    end
  end
  redis.call('SREM', held, 'user:' .. user)
end
