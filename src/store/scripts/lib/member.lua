-- What a group knows of a member: role, the id they joined at, until when they are muted (ms). Nil: no member.
local function member(members, user)
  local value = redis.call('HGET', members, user)
  if not value then
    return nil
  end
  local role, joined, muted = string.match(value, '^(%S+) (%S+) (%S+)$')
  return role, joined, tonumber(muted)
end
