-- The id under which a conversation remembers `name`, <sender>:<ref>, if any (see older-ref).
local function known_ref(own, facts, name, ms)
  local stretch, before = stretch_at(own, ms)
  return redis.call('HGET', own .. 'refs:' .. stretch, name) or older_ref(own, facts, name, before)
end
