#!lua flags=no-writes,allow-cross-slot-keys
--[[ catch-up: what users have missed, as far as it fits into a page, and the lists of their conversations.
  Why a script: entries, head and lists of one moment.     Cost: O(jobs × (count + conversations))
  KEYS here      see lib/run-jobs
  JOB  own       what the keys of the user start with: inbox, state (head), convs (dm → last activity), groups,
                 reads (channel → position)
  JOB  after     position before the first entry wanted
  JOB  count     entries at most, 0 for none
  RETURNS        of each: <head> <dms, the latest first> <groups> <channels and positions> {<position> <message id> <tail>}*;
                 the three lists have spaces between their words
]]
-- @include run-jobs

return run_jobs(1, 3, function(own, after, count)
  local reply = {
    redis.call('HGET', own .. 'state', 'head') or '0-0',
    table.concat(redis.call('ZREVRANGE', own .. 'convs', 0, -1), ' '),
    table.concat(redis.call('SMEMBERS', own .. 'groups'), ' '),
    table.concat(redis.call('HGETALL', own .. 'reads'), ' '),
  }
  if count ~= '0' then
    for _, entry in ipairs(redis.call('XRANGE', own .. 'inbox', '(' .. after, '+', 'COUNT', count)) do
      reply[#reply + 1] = entry[1]
      reply[#reply + 1] = entry[2][1]
      reply[#reply + 1] = entry[2][2]
    end
  end
  return reply
end)
