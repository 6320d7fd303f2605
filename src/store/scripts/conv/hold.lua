#!lua flags=allow-cross-slot-keys
--[[ hold: puts nodes among those that conversations are published to, if their users may hear them, or takes them out.
  Why a script: the node's own note of what it holds, for the reaper, and the membership as of that moment.
  Cost: O(jobs × nodes)
  KEYS here      see lib/run-jobs
  JOB  own       what the keys of the conversation start with: state (head; nodes, the gateways to tell), members
                 (user → role, joined-at id, muted-until)
  JOB  held      the key of the owners of this bucket of which the node holds a socket
  JOB  conv      the conversation
  JOB  node      the node
  JOB  change    attach | detach
  JOB  user      who must be a member to attach; empty: nobody need be
  RETURNS        of each: ok <head> <id the user joined at> | not_member <head> <empty>
]]
-- @include member
-- @include nodes-of
-- @include change-nodes
-- @include run-jobs

return run_jobs(1, 6, function(own, held, conv, node, change, user)
  local state = own .. 'state'
  local facts = redis.call('HMGET', state, 'head', 'nodes')
  local head, noted = facts[1] or '0-0', facts[2]
  if change == 'detach' then
    change_nodes(state, noted, node, false)
    redis.call('SREM', held, conv)
    return { 'ok', head, '0-0' }
  end
  local joined = '0-0'
  if user ~= '' then
    local role, at = member(own .. 'members', user)
    if not role then
      return { 'not_member', head, '' }
    end
    joined = at
  end
  change_nodes(state, noted, node, true)
  redis.call('SADD', held, conv)
  return { 'ok', head, joined }
end)
