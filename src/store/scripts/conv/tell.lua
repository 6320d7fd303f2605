#!lua
--[[ tell: passes a fleeting frame of a member on to the nodes of a group; nothing is kept.
  Why a script: the nodes lie in this bucket.     Cost: O(nodes)
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS state     hash: nodes, the ids of the gateways to tell
  ARGV user      who must be a member
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV topic     the conversation
  ARGV frame     ready to send
  RETURNS        ok | not_member
  PUBLISHES      the frame on each node's channel
]]
local members, state = KEYS[1], KEYS[2]
local user, to, topic, frame = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include nodes-of
-- @include tell

if redis.call('HEXISTS', members, user) == 0 then
  return { 'not_member' }
end
tell(nodes_of(redis.call('HGET', state, 'nodes')), to, 't', topic, '-', frame)
return { 'ok' }
