-- Puts an entry (see bus/envelope.ts) into the letter to each node. What a batch has for a node travels as one publish. On a
-- single Redis a node has one channel, and `to` is what it starts with. In a cluster it has one in each bucket, and hears of a
-- job by that of the job's own: what this master has of several goes by one of them, since all come over the node's one line
-- to it, but only what that line listens for. (A bucket that came here just now isn't heard yet, nor are the orders in it: the
-- node looks at all of it anew, once it knows.) The frame comes in three pieces: Lua looks at every byte of each text that is
-- made.
local letters = {}
endings[#endings + 1] = function()
  for node, letter in pairs(letters) do
    local channels = letter.channels
    local by = channels[1]
    local pieces = letter[by]
    if #channels > 1 then
      pieces = {}
      local listeners = redis.call('PUBSUB', 'SHARDNUMSUB', unpack(channels))
      for at, channel in ipairs(channels) do
        if listeners[2 * at] > 0 then
          by = channel
          for _, piece in ipairs(letter[channel]) do
            pieces[#pieces + 1] = piece
          end
        end
      end
    end
    redis.call('SPUBLISH', by, table.concat(pieces))
  end
end
local function post(nodes, kind, topic, mark, start, body, rest)
  local header = string.format('%s %s %s %d\n', kind, topic, mark, #start + #body + #rest)
  local prefix = bucket and bucket .. 'to:' or to
  for _, node in ipairs(nodes) do
    local letter = letters[node]
    if not letter then
      letter = { channels = {} }
      letters[node] = letter
    end
    local channel = prefix .. node
    local pieces = letter[channel]
    if not pieces then
      pieces = {}
      letter[channel] = pieces
      letter.channels[#letter.channels + 1] = channel
    end
    local at = #pieces
    pieces[at + 1], pieces[at + 2], pieces[at + 3], pieces[at + 4] = header, start, body, rest
  end
end
