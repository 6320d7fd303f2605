#!lua flags=allow-cross-slot-keys
--[[ deliver: puts dms into inboxes and publishes them to the nodes that hold the users.
  Why a script: dense position, inbox, conversation list and publish as one.
  Cost: O(jobs × nodes); 100 entries are read for one that is sent again
  KEYS here      see lib/run-jobs
  ARGV to        prefix of the nodes' channels, see lib/post
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet inbox is kept
  JOB  own       what the keys of the user start with: inbox, state (head, nodes), convs
  JOB  user      whose inbox
  JOB  id        the message's id
  JOB  tail      the message: its JSON without braces, op and id
  JOB  noted     the conversation, where the user's list of them is to have it as active, or empty
  JOB  at        ms of the message
  JOB  again     1: it was stored before, and may be in the inbox already | 0
  RETURNS        of each: <position>
  PUBLISHES      the message frames on each node's channel
]]
local to, maxlen, ttl = ARGV[1], ARGV[2], ARGV[3]
-- @include run-jobs
-- @include next-id
-- @include append-entry
-- @include look
-- @include note
-- @include post
-- @include nodes-of
-- @include put-in-inbox

-- Where a message is among the last hundred of an inbox. Nobody fills an inbox with one message that they send over and over.
-- (An id alone may be another conversation's, too.)
local function recent(inbox, id, tail)
  for _, entry in ipairs(redis.call('XREVRANGE', inbox, '+', '-', 'COUNT', 100)) do
    if entry[2][1] == id and entry[2][2] == tail then
      return entry[1]
    end
  end
end

return run_jobs(4, 7, function(own, user, id, tail, noted, at, again)
  local position = again == '1' and recent(own .. 'inbox', id, tail)
  return position or put_in_inbox(own, user, id, tail, noted ~= '' and noted, at, maxlen, ttl)
end)
