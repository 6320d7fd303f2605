#!lua flags=allow-cross-slot-keys
--[[ release: takes users out of what a node holds, once everybody has been told that they are offline.
  Why a script: not if a session has come back to the node meanwhile.     Cost: O(jobs)
  KEYS here      see lib/run-jobs
  JOB  own       what the keys of the user start with: state (nodes, the ids of those that hold a session; last_left,
                 the session whose leaving left none, and its node)
  JOB  held      the key of the owners of this bucket of which the node holds a socket
  JOB  user      who
  JOB  session   whose leaving has been told
  JOB  node      node id
  RETURNS        of each: ok
]]
-- @include nodes-of
-- @include let-go
-- @include run-jobs

return run_jobs(1, 5, function(own, held, user, session, node)
  let_go(own, held, user, session, node)
  return 'ok'
end)
