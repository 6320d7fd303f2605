-- Remembers (see older-ref) that `name` is stored under an id, whose ms and whose predecessor's are given. Returns the id
-- under which it is stored already, if any.
local function claim_ref(own, facts, name, id, ms, last_ms)
  local stretch, last, shift = stretches(own, ms, last_ms)
  local first = older_ref(own, facts, name, stretch, last)
  if first then
    return first
  end
  local refs = own .. 'refs:' .. stretch
  if redis.call('HSETNX', refs, name, id) == 0 then
    return redis.call('HGET', refs, name)
  end
  if last ~= stretch then
    redis.call('PEXPIREAT', refs, string.format('%.0f', math.ceil((stretch + 2 - shift) * ref_ttl)))
    if last == string.format('%d', stretch - 1) then
      note(own .. 'state', 'refs', stretch)
    end
  end
end
