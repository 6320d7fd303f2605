-- The id under which a conversation has remembered `name`, <sender>:<ref>, in the stretch of time before that of `ms`, if any.
-- There is a hash of refs for each stretch of `ref_ttl` ms, which ends by itself one more stretch later, so that each ref is
-- remembered for `ref_ttl` at least. Whether the stretch before has any, the ms of the last message says, or, where that is
-- of this stretch already, the field `refs` of the state.
local function older_ref(own, facts, name, ms, last_ms)
  local stretch, last = string.format('%d', ms / ref_ttl), string.format('%d', last_ms / ref_ttl)
  local before = string.format('%d', stretch - 1)
  if facts.refs == stretch or last == before then
    return redis.call('HGET', own .. 'refs:' .. before, name)
  end
end
