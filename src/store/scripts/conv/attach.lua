#!lua
--[[ attach: puts a node among those a conversation is published to, and says whether the user may hear it.
  Why a script: the node's own note of what it holds, for the reaper, and the membership as of that moment.     Cost: O(1)
  KEYS state     hash: head
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS nodes     set, ids of the gateways to tell
  KEYS held      set, the owners of this bucket of which the node holds a socket
  ARGV conv      the conversation
  ARGV node      the node
  ARGV user      who must be a member; empty: nobody need be
  RETURNS        ok <head> <id the user joined at> | not_member <head> <empty>
]]
local state, members, nodes, held = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local conv, node, user = ARGV[1], ARGV[2], ARGV[3]
-- @include member

local head = redis.call('HGET', state, 'head') or '0-0'
local joined = '0-0'
if user ~= '' then
  local role, at = member(members, user)
  if not role then
    return { 'not_member', head, '' }
  end
  joined = at
end
redis.call('SADD', nodes, node)
redis.call('SADD', held, conv)
return { 'ok', head, joined }
