-- Puts an entry into a user's inbox and tells the nodes that hold the user. With `conv`, the conversation is noted in
-- the user's list, active at `at` (ms). Returns the position.
local function put_in_inbox(own, user, entry, conv, at, maxlen, ttl)
  local state = own .. 'state'
  local facts = redis.call('HMGET', state, 'head', 'nodes')
  local head, nodes = facts[1], nodes_of(facts[2])
  local position, ms = next_id(head)
  append_entry(own .. 'inbox', position, ms, head, entry, maxlen, ttl)
  redis.call('HSET', state, 'head', position)
  if conv then
    redis.call('ZADD', own .. 'convs', 'GT', at, conv)
  end
  post(nodes, 'm', 'user:' .. user, position, '{"op":"message",' .. entry .. ',"inbox":"' .. position .. '"}')
  return position
end
