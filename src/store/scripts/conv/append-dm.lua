#!lua flags=allow-cross-slot-keys
--[[ append-dm: stores messages between two users, each once per ref, and puts them into the inboxes in reach.
  Why a script: dedupe, block, stranger count, dense id, log and inboxes as one.     Cost: O(jobs); a retry that misses: O(log)
  KEYS here      see lib/run-jobs
  ARGV to        prefix of the nodes' channels, see lib/post
  ARGV limit     messages to a stranger, 0 for no limit
  ARGV window    ms after which the stranger count ends
  ARGV quiet     ms after which a conversation that wakes up is noted in the users' lists
  ARGV ref_ttl   ms a ref is remembered at least
  ARGV maxlen    entries of a log to keep, about
  ARGV ttl       ms a quiet log or inbox is kept
  ARGV inbox     entries of an inbox to keep, about
  JOB  own       what the keys of the pair start with: log, refs:… (lib/refs), and the hash state: head, refs, and by user:
                 read, recv, block, follow, spoke, count, since, and free: 1 while the sender is neither blocked nor a
                 stranger, 0 while not blocked, so that the rest needn't be looked at
  JOB  from      the sender
  JOB  other     the recipient
  JOB  guard     check: blocks and the stranger limit bind the sender | free
  JOB  ref       the sender's name for the message
  JOB  needle    bytes of what an entry with this sender and ref starts with: the ref may be older than lib/refs knows | 0
  JOB  tail      the entry: the message's JSON without braces, op and id
  JOB  peer      what the keys of the recipient start with, or empty; in reach on a single Redis only, as what follows
  JOB  self      what the keys of the sender start with, where their inbox is to have it too, or empty
  JOB  list      what the keys of the sender start with, where their list of conversations is in reach, or empty
  RETURNS        of each: <ok | dup> <id> <note> <the sender's position or -> <tail of a dup> | blocked | stranger_limit
                 a dup's tail is the stored one, or empty; note: 1 if the sender's list should be told
  PUBLISHES      the message frames on the channel of each node that holds one of the users
]]
local to, limit, window, quiet = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local ref_ttl, maxlen, ttl, inbox = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
limit, window, quiet = tonumber(limit), tonumber(window), tonumber(quiet)
-- @include run-jobs
-- @include next-id
-- @include find-ref
-- @include append-entry
-- @include nodes-of
-- @include look
-- @include note
-- @include post
-- @include stretch-at
-- @include older-ref
-- @include known-ref
-- @include claim-ref
-- @include put-in-inbox

-- A dup may not have come as far as the inboxes, where those are not in reach: what was stored is told, to go on with.
local function dup(log, first)
  local stored = redis.call('XRANGE', log, first, first)[1]
  return 'dup ' .. first .. ' 1 - ' .. (stored and stored[2][2] or '')
end

-- Whether blocks and the stranger limit let the sender write. Returns why not, or what to note with the message.
local function judge(state, from, other, ms)
  local facts = redis.call('HMGET', state, 'block:' .. other, 'follow:' .. other, 'spoke:' .. other, 'count:' .. from,
    'since:' .. from)
  local blocked, followed, answered = facts[1], facts[2], facts[3]
  if blocked then
    return 'blocked'
  end
  if followed or answered then
    return nil, { 'spoke:' .. from, '1', 'free:' .. from, '1' }
  end
  if limit == 0 then
    return nil, { 'spoke:' .. from, '1', 'free:' .. from, '0' }
  end
  local count, since = tonumber(facts[4] or 0), tonumber(facts[5] or 0)
  if ms - since >= window then
    count, since = 0, ms
  end
  if count >= limit then
    return 'stranger_limit'
  end
  return nil, { 'spoke:' .. from, '1', 'count:' .. from, count + 1, 'since:' .. from, string.format('%.0f', since) }
end

return run_jobs(9, 10, function(own, from, other, guard, ref, needle, tail, peer, self, list)
  local log, state, name, free = own .. 'log', own .. 'state', from .. ':' .. ref, 'free:' .. from
  local facts = look(state, 'head', 'refs', free)
  local id, ms, last_ms = next_id(facts.head)
  if needle ~= '0' then
    local first = known_ref(own, facts, name, ms) or find_ref(log, string.sub(tail, 1, needle))
    if first then
      return dup(log, first)
    end
  end

  local is_free = guard == 'free' or facts[free] == '1' or limit == 0 and facts[free] == '0'
  local refusal, notes
  if not is_free then
    refusal, notes = judge(state, from, other, ms)
  end
  if refusal then
    local first = known_ref(own, facts, name, ms) -- what was stored before is no refusal's business
    return first and dup(log, first) or refusal
  end
  local first = claim_ref(own, facts, name, id, ms)
  if first then
    return dup(log, first)
  end

  append_entry(log, id, ms, last_ms, 'm', tail, maxlen, ttl)
  note(state, 'head', id)
  note(state, 'read:' .. from, id)
  if notes then
    redis.call('HSET', state, unpack(notes))
    facts[free] = nil
  end

  local woke = ms - last_ms > quiet
  local conv = woke and string.match(own, '}:(.*):$') -- its name lies behind the bucket
  local position = '-'
  if self ~= '' then
    position = put_in_inbox(self, from, id, tail, conv, ms, inbox, ttl)
  elseif woke and list ~= '' then
    redis.call('ZADD', list .. 'convs', 'GT', ms, conv)
  end
  if peer ~= '' then
    put_in_inbox(peer, other, id, tail, conv, ms, inbox, ttl)
  end
  return 'ok ' .. id .. (woke and ' 1 ' or ' 0 ') .. position
end)
