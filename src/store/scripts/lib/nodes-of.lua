-- The nodes that hold a session of a user or a member of a conversation, as the field `nodes` of the state has them: ids
-- joined by one space.
local function nodes_of(noted)
  local nodes = {}
  for node in string.gmatch(noted or '', '%S+') do
    nodes[#nodes + 1] = node
  end
  return nodes
end
