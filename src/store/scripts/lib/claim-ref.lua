-- Remembers (see older-ref) that `name` is stored under an id, whose ms is given. Returns the id under which it is stored
-- already, if any.
local function claim_ref(own, facts, name, id, ms)
  local stretch, before, shift = stretch_at(own, ms)
  local first = older_ref(own, facts, name, before)
  if first then
    return first
  end
  local refs = own .. 'refs:' .. stretch
  if redis.call('HSETNX', refs, name, id) == 0 then
    return redis.call('HGET', refs, name)
  end
  local had = facts.refs or ''
  if not string.find(had, stretch, 1, true) then
    redis.call('PEXPIREAT', refs, string.format('%.0f', math.ceil((stretch + 2 - shift) * ref_ttl)))
    note(own .. 'state', 'refs', string.find(had, before, 1, true) and stretch .. ' ' .. before or stretch)
  end
end
