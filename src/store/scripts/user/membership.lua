#!lua
--[[ membership: notes in the user's own books that they are now in a group or out of it, and tells them.
  Why a script: the list, the inbox and the order to the nodes as one, in order with other messages.     Cost: O(nodes)
  KEYS groups    set of group ids
  KEYS turns     hash, group → id of the last change noted here; of groups left, for a day at least
  KEYS inbox     stream: the offline queue
  KEYS state     hash: inbox head; nodes, the ids of those that hold a session
  ARGV change    enter | exit
  ARGV user      who
  ARGV group     the group's id
  ARGV id        the event's id
  ARGV tail      the event: its JSON without braces, op and id
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet inbox is kept
  RETURNS        ok <position> | same: nothing was to be done, or a later change stands
  PUBLISHES      the order to follow or to let go, then the event, on the channel of each node that holds the user
]]
local groups, turns, inbox, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local change, user, group, id, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local to, maxlen, ttl = ARGV[6], ARGV[7], ARGV[8]
-- @include next-id
-- @include append-entry
-- @include later
-- @include tell
-- @include nodes-of

-- Told late or twice, or by several: the change with the highest id stands.
local last = redis.call('HGET', turns, group)
if last and not later(id, last) then
  return { 'same' }
end
local facts = redis.call('HMGET', state, 'head', 'nodes')
local head, told = facts[1], nodes_of(facts[2])
local position, ms, last_ms = next_id(head)
if change == 'enter' then
  -- Who is in already entered again after a removal that comes late, and has been let go by their nodes.
  redis.call('SADD', groups, group)
  redis.call('HSET', turns, group, id)
else
  local was_in = redis.call('SREM', groups, group) == 1
  redis.call('HSET', turns, group, id)
  if redis.call('HLEN', turns) > 2 * redis.call('SCARD', groups) + 100 then
    local all = redis.call('HGETALL', turns)
    for i = 1, #all, 2 do
      local at = tonumber(string.match(all[i + 1], '^%d+'))
      if at < ms - 86400000 and redis.call('SISMEMBER', groups, all[i]) == 0 then
        redis.call('HDEL', turns, all[i])
      end
    end
  end
  if not was_in then
    return { 'same' }
  end
end
append_entry(inbox, position, ms, last_ms, id, tail, maxlen, ttl)
redis.call('HSET', state, 'head', position)
local topic = 'user:' .. user
tell(told, to, 'c', topic, position, '{"do":"' .. change .. '","user":"' .. user .. '","group":"' .. group .. '","id":"' .. id .. '"}')
tell(told, to, 'm', topic, position, '{"op":"message","id":"' .. id .. '",' .. tail .. ',"inbox":"' .. position .. '"}')
return { 'ok', position }
