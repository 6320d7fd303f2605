-- Puts an entry (see bus/envelope.ts) into the letter to each node; what a batch has for a node travels as one publish.
-- The frame comes in three pieces: Lua looks at every byte of each text that is made.
local letters = {}
endings[#endings + 1] = function()
  for node, letter in pairs(letters) do
    redis.call('SPUBLISH', to .. node, table.concat(letter))
  end
end
local function post(nodes, kind, topic, mark, start, body, rest)
  local header = string.format('%s %s %s %d\n', kind, topic, mark, #start + #body + #rest)
  for _, node in ipairs(nodes) do
    local letter = letters[node]
    if not letter then
      letter = {}
      letters[node] = letter
    end
    local at = #letter
    letter[at + 1], letter[at + 2], letter[at + 3], letter[at + 4] = header, start, body, rest
  end
end
