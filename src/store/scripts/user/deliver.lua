#!lua flags=allow-cross-slot-keys
--[[ deliver: puts dms into inboxes and publishes them to the nodes that hold the users.
  Why a script: dense position, inbox, conversation list and publish as one.     Cost: O(jobs × nodes)
  KEYS here      see lib/run-jobs
  ARGV to        prefix of the nodes' channels, see lib/post
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet inbox is kept
  ARGV again_ttl ms it is remembered what was delivered again
  JOB  own       what the keys of the user start with: inbox, state (head, nodes), convs, again (message id → position of
                 what was delivered again)
  JOB  user      whose inbox
  JOB  id        the message's id
  JOB  tail      the message: its JSON without braces, op and id
  JOB  noted     the conversation, where the user's list of them is to have it as active, or empty
  JOB  at        ms of the message
  JOB  again     1: it was stored before, and may have been delivered; that is made up for once | 0
  RETURNS        of each: <position>
  PUBLISHES      the message frames on each node's channel
]]
local to, maxlen, ttl, again_ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include run-jobs
-- @include next-id
-- @include append-entry
-- @include look
-- @include note
-- @include post
-- @include nodes-of
-- @include put-in-inbox

return run_jobs(5, 7, function(own, user, id, tail, noted, at, again)
  -- Whoever sends one message over and over shall not fill an inbox with it.
  local made_up = own .. 'again'
  local before = again == '1' and redis.call('HGET', made_up, id)
  if before then
    return before
  end
  local position = put_in_inbox(own, user, id, tail, noted ~= '' and noted, at, maxlen, ttl)
  if again == '1' then
    redis.call('HSET', made_up, id, position)
    redis.call('PEXPIRE', made_up, again_ttl)
  end
  return position
end)
