#!lua flags=allow-cross-slot-keys
--[[ offline: ends the presence of users of whom no session has come back within the grace of the last one, and lets go
  of the others.
  Why a script: once, however many nodes ask.     Cost: O(jobs)
  KEYS here      see lib/run-jobs
  JOB  own       what the keys of the user start with: sessions, state (nodes, the ids of those that hold a session;
                 last_left, the session whose leaving left none, and its node; number of the last change of presence)
  JOB  held      the key of the owners of this bucket of which the node holds a socket
  JOB  online    the key of this bucket's users who are online
  JOB  user      who
  JOB  session   whose grace has ended; another that left later has a grace of its own
  JOB  node      node id
  RETURNS        of each: the number of this change, the same when asked again | stays
]]
-- @include nodes-of
-- @include let-go
-- @include run-jobs

return run_jobs(1, 6, function(own, held, online, user, session, node)
  local state = own .. 'state'
  local facts = redis.call('HMGET', state, 'last_left', 'presence')
  if string.match(facts[1] or '', '^%S+') ~= session or redis.call('HLEN', own .. 'sessions') > 0 then
    let_go(own, held, user, session, node)
    return 'stays'
  end
  if redis.call('ZREM', online, user) == 1 then
    return tostring(redis.call('HINCRBY', state, 'presence', 1))
  end
  -- Taken offline before: by this very call, whose answer was lost, or by the reaper. Telling it twice does no harm.
  return facts[2] or '0'
end)
