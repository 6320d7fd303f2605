-- The id under which a conversation has remembered `name`, <sender>:<ref>, in the stretch of time (see stretches) before this
-- one, if any. There is a hash of refs for each stretch, which ends by itself one more stretch later, so that each ref is
-- remembered for `ref_ttl` at least. Whether the stretch before has any, that of the last message says, or, where that is this
-- one already, the field `refs` of the state.
local function older_ref(own, facts, name, stretch, last)
  local before = string.format('%d', stretch - 1)
  if facts.refs == stretch or last == before then
    return redis.call('HGET', own .. 'refs:' .. before, name)
  end
end
