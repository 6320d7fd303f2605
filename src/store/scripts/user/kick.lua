#!lua
--[[ kick: orders the gateways to close sessions of a user; they leave by themselves.
  Why a script: the sessions and the nodes of one moment.     Cost: O(nodes)
  KEYS sessions  hash, session → <node id> <json>
  KEYS state     hash: nodes, the ids of those that hold a session
  ARGV user      who
  ARGV session   UUID, or * for all
  ARGV to        prefix of the nodes' channels in this bucket
  RETURNS        ok | not_found | unheard: a node's feed is broken, the order is lost on it
  PUBLISHES      the order on the channel of each node that holds the user
]]
local sessions, state = KEYS[1], KEYS[2]
local user, session, to = ARGV[1], ARGV[2], ARGV[3]
-- @include nodes-of

if session ~= '*' and redis.call('HEXISTS', sessions, session) == 0 then
  return { 'not_found' }
end
local order = '{"do":"kick","user":"' .. user .. '","session":"' .. session .. '"}'
local heard = true
for _, node in ipairs(nodes_of(redis.call('HGET', state, 'nodes'))) do
  local entry = 'c user:' .. user .. ' - ' .. #order .. '\n' .. order
  heard = redis.call('SPUBLISH', to .. node, entry) > 0 and heard
end
return { heard and 'ok' or 'unheard' }
