-- Puts an entry into a user's inbox and tells the nodes that hold the user. With `conv`, the conversation is noted in
-- the user's list, active at `at` (ms). Returns the position.
local function put_in_inbox(own, user, entry, conv, at, maxlen, ttl)
  local state = own .. 'state'
  local facts = look(state, 'head', 'nodes')
  local position, ms, last_ms = next_id(facts.head)
  append_entry(own .. 'inbox', position, ms, last_ms, entry, maxlen, ttl)
  note(state, 'head', position)
  if conv then
    redis.call('ZADD', own .. 'convs', 'GT', at, conv)
  end
  post(nodes_of(facts.nodes), 'm', 'user:' .. user, position, '{"op":"message",', entry, ',"inbox":"' .. position .. '"}')
  return position
end
