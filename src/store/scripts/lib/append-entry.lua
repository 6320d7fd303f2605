-- Appends to a stream under an id of ours, and renews the stream's time to live (ms) once a day, so that a busy stream
-- doesn't pay for it with every entry. The day is added to it: the last entry is kept for the whole time, however early
-- in its day the renewal was. About `maxlen` entries are kept: with every hundredth what is over is cut off, by the
-- hundred, as Redis keeps them. `last_ms` is that of the entry before, 0 where there is none. Messages of a log have the
-- field m; in inboxes the field is the message's id.
local function append_entry(stream, id, ms, last_ms, field, value, maxlen, ttl)
  if string.sub(id, -2) == '00' then
    redis.call('XADD', stream, 'MAXLEN', '~', maxlen, id, field, value)
  else
    redis.call('XADD', stream, id, field, value)
  end
  if ms - ms % 86400000 ~= last_ms - last_ms % 86400000 then
    redis.call('PEXPIRE', stream, ttl + 86400000)
  end
end
