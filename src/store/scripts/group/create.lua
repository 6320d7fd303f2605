#!lua
--[[ create: makes a group with its first members and writes their joining into its log.
  Why a script: a group without its owner must never be seen.     Cost: O(members)
  KEYS state     hash: head, name, intro, icon, owner, join, history, created
  KEYS log       stream of messages
  KEYS members   hash, user → role, joined-at id, muted-until
  KEYS roster    sorted set of the members by name, for pages
  KEYS reads     hash, user → read position
  KEYS untold    hash, <group> <event id> → <change> <users> <event>: what the node has still to tell
  ARGV group     the group's id
  ARGV owner     the first member
  ARGV name      what people call it
  ARGV intro     a line about it
  ARGV icon      URL or empty
  ARGV join      invite | open
  ARGV history   joined | all
  ARGV tail      the joining event: its JSON without braces, op and id
  ARGV ttl       ms a quiet log is kept
  REST           the other members
  RETURNS        ok <id> <created ms> | conflict
]]
local state, log, members, roster, reads, untold = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local group, owner, name, intro, icon, join = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local history, tail, ttl = ARGV[7], ARGV[8], ARGV[9]
-- @include next-id
-- @include append-entry
-- @include note-untold

if redis.call('EXISTS', state) == 1 then
  return { 'conflict' }
end
local id, ms = next_id(nil)
local created = string.format('%.0f', ms)
redis.call('HSET', state, 'head', id, 'name', name, 'intro', intro, 'icon', icon, 'owner', owner, 'join', join,
  'history', history, 'created', created)
append_entry(log, id, ms, 0, 'm', tail, 1000, ttl)
local users = {}
local function enter(user, role)
  redis.call('HSET', members, user, role .. ' ' .. id .. ' 0')
  redis.call('ZADD', roster, 0, user)
  redis.call('HSET', reads, user, id)
  users[#users + 1] = user
end
enter(owner, 'owner')
for i = 10, #ARGV do
  enter(ARGV[i], 'member')
end
note_untold(untold, 'enter', group, id, users, tail)
return { 'ok', id, created }
