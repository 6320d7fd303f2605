-- Puts a message into a user's inbox and tells the nodes that hold the user. With `conv`, the conversation is noted in
-- the user's list, active at `at` (ms). Returns the position.
local function put_in_inbox(own, user, id, tail, conv, at, maxlen, ttl)
  local state = own .. 'state'
  local facts = look(state, 'head', 'nodes')
  local position, ms, last_ms = next_id(facts.head)
  append_entry(own .. 'inbox', position, ms, last_ms, id, tail, maxlen, ttl)
  note(state, 'head', position)
  if conv then
    redis.call('ZADD', own .. 'convs', 'GT', at, conv)
  end
  local start, rest = '{"op":"message","id":"' .. id .. '",', ',"inbox":"' .. position .. '"}'
  post(nodes_of(facts.nodes), 'm', 'user:' .. user, position, start, tail, rest)
  return position
end
