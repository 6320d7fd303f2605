#!lua flags=allow-cross-slot-keys
--[[ append: stores messages in groups and channels, each once per ref, and publishes them to the nodes that care.
  Why a script: membership, dedupe, dense id, log and publish as one.     Cost: O(jobs × nodes); a retry that misses: O(log)
  KEYS here      see lib/run-jobs
  ARGV to        prefix of the nodes' channels, see lib/post
  ARGV ref_ttl   ms a ref is remembered at least
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet log is kept
  JOB  own       what the keys of the conversation start with: log, state (head, refs; nodes, the gateways to tell),
                 members, reads, and refs:… (lib/refs)
  JOB  conv      the conversation
  JOB  from      the sender
  JOB  guard     member: the sender must be one, and not muted | group: it must exist | channel
  JOB  ref       the sender's name for the message
  JOB  needle    bytes of what an entry with this sender and ref starts with: the ref may be older than lib/refs knows | 0
  JOB  tail      the entry: the message's JSON without braces, op and id
  RETURNS        of each: <ok | dup> <id> | not_found | not_member | muted
  PUBLISHES      the message frames on each node's channel
]]
local to, ref_ttl, maxlen, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include run-jobs
-- @include next-id
-- @include find-ref
-- @include append-entry
-- @include member
-- @include look
-- @include note
-- @include nodes-of
-- @include post
-- @include stretch-at
-- @include older-ref
-- @include known-ref
-- @include claim-ref

-- The nodes of each conversation, taken apart once a batch.
local nodes_in = {}

return run_jobs(5, 7, function(own, conv, from, guard, ref, needle, tail)
  local log, state, name = own .. 'log', own .. 'state', from .. ':' .. ref
  local facts = look(state, 'head', 'refs', 'nodes')
  local id, ms, last_ms = next_id(facts.head)

  -- What was stored before is no refusal's business.
  local function refuse(why)
    local first = known_ref(own, facts, name, ms)
    return first and 'dup ' .. first or why
  end

  if needle ~= '0' then
    local first = known_ref(own, facts, name, ms) or find_ref(log, string.sub(tail, 1, needle))
    if first then
      return 'dup ' .. first
    end
  end
  if guard ~= 'channel' and not facts.head then
    return refuse('not_found')
  end
  if guard == 'member' then
    local role, _, muted = member(own .. 'members', from)
    if not role then
      return refuse('not_member')
    end
    if muted > ms then
      return refuse('muted')
    end
  end
  local first = claim_ref(own, facts, name, id, ms)
  if first then
    return 'dup ' .. first
  end
  append_entry(log, id, ms, last_ms, 'm', tail, maxlen, ttl)
  note(state, 'head', id)
  if guard == 'member' then
    redis.call('HSET', own .. 'reads', from, id)
  end
  local nodes = nodes_in[own] or nodes_of(facts.nodes)
  nodes_in[own] = nodes
  post(nodes, 'm', conv, id, '{"op":"message","id":"' .. id .. '",', tail, '}')
  return 'ok ' .. id
end)
