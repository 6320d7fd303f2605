-- Notes in a conversation's state that a node holds a member of it, or holds none any more, where that is not what is noted.
local function change_nodes(state, noted, node, holds)
  local nodes, had = {}, false
  for _, one in ipairs(nodes_of(noted)) do
    if one == node then
      had = true
    else
      nodes[#nodes + 1] = one
    end
  end
  if had == holds then
    return
  end
  if holds then
    nodes[#nodes + 1] = node
  end
  if #nodes == 0 then
    redis.call('HDEL', state, 'nodes') -- where a channel has nothing else, nothing is left of it
  else
    redis.call('HSET', state, 'nodes', table.concat(nodes, ' '))
  end
end
