-- Puts an entry (see bus/envelope.ts) into the letter to each node; what a batch has for a node travels as one publish.
local letters = {}
local function post(nodes, kind, topic, mark, frame)
  if #nodes == 0 then
    return
  end
  local entry = kind .. ' ' .. topic .. ' ' .. mark .. ' ' .. #frame .. '\n' .. frame
  for _, node in ipairs(nodes) do
    local letter = letters[node]
    if letter then
      letter[#letter + 1] = entry
    else
      letters[node] = { entry }
    end
  end
end
