-- The id under which a conversation remembers `name`, <sender>:<ref>, if any (see older-ref).
local function known_ref(own, facts, name, ms, last_ms)
  local id = redis.call('HGET', own .. 'refs:' .. string.format('%d', ms / ref_ttl), name)
  return id or older_ref(own, facts, name, ms, last_ms)
end
