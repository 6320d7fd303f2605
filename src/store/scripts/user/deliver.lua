#!lua flags=allow-cross-slot-keys
--[[ deliver: puts dms into inboxes and publishes them to the nodes that hold the users.
  Why a script: dense position, inbox, conversation list and publish as one.     Cost: O(jobs × nodes)
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

return run_jobs(4, 6, function(own, user, id, tail, noted, at)
  return put_in_inbox(own, user, id, tail, noted ~= '' and noted, at, maxlen, ttl)
end)
