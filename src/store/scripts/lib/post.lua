-- Puts an entry (see bus/envelope.ts) into the letter to each node; what a batch has for a node travels as one publish.
local letters = {}
endings[#endings + 1] = function()
  for node, letter in pairs(letters) do
    redis.call('SPUBLISH', to .. node, table.concat(letter))
  end
end
local function post(nodes, kind, topic, mark, frame)
  local header = string.format('%s %s %s %d\n', kind, topic, mark, #frame)
  for _, node in ipairs(nodes) do
    local letter = letters[node]
    if not letter then
      letter = {}
      letters[node] = letter
    end
    letter[#letter + 1] = header
    letter[#letter + 1] = frame
  end
end
