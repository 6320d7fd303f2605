#!lua flags=no-writes
--[[ range: a stretch of a user's inbox.
  Why a script: entries and head of one moment.     Cost: O(count)
  KEYS inbox     stream: the offline queue
  KEYS state     hash: inbox head
  ARGV after     position before the first entry wanted
  ARGV count     entries at most
  RETURNS        ok <head> <oldest position, or empty> {<position> <entry>}*
]]
local inbox, state = KEYS[1], KEYS[2]
local after, count = ARGV[1], ARGV[2]

local first = redis.call('XRANGE', inbox, '-', '+', 'COUNT', 1)[1]
local reply = { 'ok', redis.call('HGET', state, 'head') or '0-0', first and first[1] or '' }
for _, entry in ipairs(redis.call('XRANGE', inbox, '(' .. after, '+', 'COUNT', count)) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = entry[2][2]
end
return reply
