#!lua flags=no-writes,allow-cross-slot-keys
--[[ view: lines of users' conversation lists.
  Why a script: head, positions and last message of one moment.     Cost: O(jobs)
  KEYS here      see lib/run-jobs
  JOB  own       what the keys of the conversation start with: log, state (head; of a dm also read and recv by user; of a
                 group its name), members (user → role, joined-at id, muted-until), reads (user → read position)
  JOB  kind      dm | group | channel
  JOB  user      who asks; of a channel nobody
  JOB  other     the other user of a dm
  RETURNS        of each: ok <head> <read> <peer read> <peer received> <name> <last id> <last tail>, empty where there is
                 none | not_found | not_member
]]
-- @include run-jobs

return run_jobs(1, 4, function(own, kind, user, other)
  local head, read, peer_read, peer_received, name
  if kind == 'dm' then
    local facts = redis.call('HMGET', own .. 'state', 'head', 'read:' .. user, 'read:' .. other, 'recv:' .. other)
    head, read, peer_read, peer_received = facts[1], facts[2], facts[3], facts[4]
  elseif kind == 'group' then
    local facts = redis.call('HMGET', own .. 'state', 'head', 'name')
    head, name = facts[1], facts[2]
    if not head then
      return { 'not_found' }
    end
    if redis.call('HEXISTS', own .. 'members', user) == 0 then
      return { 'not_member' }
    end
    read = redis.call('HGET', own .. 'reads', user)
  else
    head = redis.call('HGET', own .. 'state', 'head')
  end
  local last = redis.call('XREVRANGE', own .. 'log', '+', '-', 'COUNT', 1)[1]
  return {
    'ok', head or '0-0', read or '', peer_read or '', peer_received or '', name or '',
    last and last[1] or '', last and last[2][2] or '',
  }
end)
