-- The id under which a conversation remembers `name`, <sender>:<ref>, if any. There is a hash of refs for each stretch of
-- `ref_ttl` ms, which ends by itself one more stretch later, so that each ref is remembered for `ref_ttl` at least. The field
-- `refs` of the conversation's state names the last stretch whose predecessor has refs, too.
local function known_ref(own, facts, name, ms)
  local stretch = string.format('%d', ms / ref_ttl)
  local id = redis.call('HGET', own .. 'refs:' .. stretch, name)
  if not id and facts.refs == stretch then
    id = redis.call('HGET', own .. 'refs:' .. stretch - 1, name)
  end
  return id
end
