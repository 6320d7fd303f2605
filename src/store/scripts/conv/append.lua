#!lua
--[[ append: stores messages in groups and channels, each once per ref, and publishes them to the nodes that care.
  Why a script: membership, dedupe, dense id, log and publish as one.     Cost: O(jobs × nodes); a retry that misses: O(log)
  KEYS here      a key of this bucket
  ARGV to        prefix of the nodes' channels in this bucket
  ARGV ref_ttl   ms a ref is remembered by its own key
  ARGV maxlen    entries to keep, about
  ARGV ttl       ms a quiet log is kept
  JOB  own       what the keys of the conversation start with: log, state (head), members, nodes, reads, and
                 ref:… (the id a ref was stored under)
  JOB  conv      the conversation
  JOB  from      the sender
  JOB  guard     member: the sender must be one, and not muted | group: it must exist | channel
  JOB  ref       the sender's name for the message
  JOB  needle    bytes of what an entry with this sender and ref starts with: the ref may be older than its key | 0
  JOB  tail      the entry: the message's JSON without braces, op and id
  RETURNS        of each: <ok | dup> <id> | not_found | not_member | muted
  PUBLISHES      the message frames on each node's channel
]]
local to, ref_ttl, maxlen, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- @include next-id
-- @include find-ref
-- @include append-entry
-- @include member
-- @include post
-- @include run-jobs
-- @include batch

return batch(5, 7, to, function(own, conv, from, guard, ref, needle, tail)
  local log, state, key = own .. 'log', own .. 'state', own .. 'ref:' .. from .. ':' .. ref

  -- What was stored before is no refusal's business.
  local function refuse(why)
    local first = redis.call('GET', key)
    return first and 'dup ' .. first or why
  end

  if needle ~= '0' then
    local first = redis.call('GET', key) or find_ref(log, string.sub(tail, 1, needle))
    if first then
      return 'dup ' .. first
    end
  end
  local head = redis.call('HGET', state, 'head')
  if guard ~= 'channel' and not head then
    return refuse('not_found')
  end
  local id, ms = next_id(head)
  if guard == 'member' then
    local role, _, muted = member(own .. 'members', from)
    if not role then
      return refuse('not_member')
    end
    if muted > ms then
      return refuse('muted')
    end
  end
  local first = redis.call('SET', key, id, 'NX', 'GET', 'PX', ref_ttl)
  if first then
    return 'dup ' .. first
  end
  append_entry(log, id, ms, head, tail, maxlen, ttl)
  redis.call('HSET', state, 'head', id)
  if guard == 'member' then
    redis.call('HSET', own .. 'reads', from, id)
  end
  post(redis.call('SMEMBERS', own .. 'nodes'), 'm', conv, id, '{"op":"message","id":"' .. id .. '",' .. tail .. '}')
  return 'ok ' .. id
end)
