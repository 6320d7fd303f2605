#!lua flags=no-writes
--[[ view: one line of a user's conversation list.
  Why a script: head, positions and last message of one moment.     Cost: O(1)
  KEYS log       stream of messages
  KEYS state     hash: head; of a dm also read and recv by user; of a group its name
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS reads     hash, user → read position
  ARGV kind      dm | group | channel
  ARGV user      who asks
  ARGV other     the other user of a dm
  RETURNS        ok <head> <read> <peer read> <peer received> <name> <last id> <last tail>, empty where there is none
                 | not_found | not_member
]]
local log, state, members, reads = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local kind, user, other = ARGV[1], ARGV[2], ARGV[3]

local facts = redis.call('HMGET', state, 'head', 'read:' .. user, 'read:' .. other, 'recv:' .. other, 'name')
local head, read, peer_read, peer_received, name = facts[1], facts[2], facts[3], facts[4], facts[5]
if kind == 'group' then
  if not head then
    return { 'not_found' }
  end
  if redis.call('HEXISTS', members, user) == 0 then
    return { 'not_member' }
  end
  read = redis.call('HGET', reads, user)
end
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
return {
  'ok', head or '0-0', read or '', kind == 'dm' and peer_read or '', kind == 'dm' and peer_received or '', name or '',
  last and last[1] or '', last and last[2][2] or '',
}
