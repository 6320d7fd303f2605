#!lua flags=allow-cross-slot-keys
--[[ read-channel: moves users' read positions in channels forward, never back; the first sight of a channel sets it.
  Why a script: compare and set as one.     Cost: O(jobs)
  KEYS here      see lib/run-jobs
  JOB  own       what the keys of the user start with: reads (channel conversation → read position)
  JOB  conv      the channel
  JOB  id        <ms>-<seq>, no later than the head
  JOB  first     1: only if there is none yet | 0
  RETURNS        of each: moved <position> | stale <position>
]]
-- @include later
-- @include run-jobs

return run_jobs(1, 4, function(own, conv, id, first)
  local reads = own .. 'reads'
  local current = redis.call('HGET', reads, conv)
  if current and (first == '1' or not later(id, current)) then
    return { 'stale', current }
  end
  redis.call('HSET', reads, conv, id)
  return { 'moved', id }
end)
