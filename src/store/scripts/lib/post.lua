-- Puts an entry (see bus/envelope.ts) into the letter to each node; what a batch has for a channel travels as one publish. In
-- a cluster a node has a channel in each bucket, and hears of a job by that of the job's own; on a single Redis it has one,
-- and `to` is what it starts with. The frame comes in three pieces: Lua looks at every byte of each text that is made.
local letters = {}
endings[#endings + 1] = function()
  for channel, letter in pairs(letters) do
    redis.call('SPUBLISH', channel, table.concat(letter))
  end
end
local function post(nodes, kind, topic, mark, start, body, rest)
  local header = string.format('%s %s %s %d\n', kind, topic, mark, #start + #body + #rest)
  local prefix = bucket and bucket .. 'to:' or to
  for _, node in ipairs(nodes) do
    local channel = prefix .. node
    local letter = letters[channel]
    if not letter then
      letter = {}
      letters[channel] = letter
    end
    local at = #letter
    letter[at + 1], letter[at + 2], letter[at + 3], letter[at + 4] = header, start, body, rest
  end
end
