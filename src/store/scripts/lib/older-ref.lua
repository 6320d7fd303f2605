-- The id under which a conversation has remembered `name`, <sender>:<ref>, in the stretch of time before this one (see
-- stretch-at), if any. There is a hash of refs for each stretch, which ends by itself one more stretch later, so that each ref is
-- remembered for `ref_ttl` at least. Which stretches have any, the field `refs` of the state says: the last one that has, and
-- behind a space the one before that, if it has too.
local function older_ref(own, facts, name, before)
  if facts.refs and string.find(facts.refs, before, 1, true) then
    return redis.call('HGET', own .. 'refs:' .. before, name)
  end
end
