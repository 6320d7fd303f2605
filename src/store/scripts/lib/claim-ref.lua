-- Remembers (see known-ref) that `name` is stored under an id, whose ms and whose predecessor's are given. Returns the id
-- under which it is stored already, if any.
local function claim_ref(own, facts, name, id, ms, last_ms)
  local stretch, before = string.format('%d', ms / ref_ttl), string.format('%d', last_ms / ref_ttl)
  local has_two = facts.refs == stretch or before ~= stretch and before == string.format('%d', stretch - 1)
  local refs = own .. 'refs:' .. stretch
  local first = has_two and redis.call('HGET', own .. 'refs:' .. stretch - 1, name)
  if first then
    return first
  end
  if redis.call('HSETNX', refs, name, id) == 0 then
    return redis.call('HGET', refs, name)
  end
  if before ~= stretch then
    redis.call('PEXPIREAT', refs, string.format('%.0f', (stretch + 2) * ref_ttl))
    if has_two then
      note(own .. 'state', 'refs', stretch)
    end
  end
end
