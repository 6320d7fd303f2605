-- The id under which a conversation remembers `name`, <sender>:<ref>, if any (see older-ref).
local function known_ref(own, facts, name, ms, last_ms)
  local stretch, last = stretches(own, ms, last_ms)
  return redis.call('HGET', own .. 'refs:' .. stretch, name) or older_ref(own, facts, name, stretch, last)
end
