-- Returns what is known of a hash, these of its fields at least; one that it lacks is false. Jobs of a batch that look at
-- the same hash read it once.
local known = {}
local function look(key, one, two, three)
  local fields = known[key]
  if not fields then
    fields = {}
    known[key] = fields
  elseif fields[one] ~= nil and fields[two] ~= nil and (not three or fields[three] ~= nil) then
    return fields
  end
  local names = { one, two, three }
  for at, value in ipairs(redis.call('HMGET', key, unpack(names))) do
    if fields[names[at]] == nil then
      fields[names[at]] = value
    end
  end
  return fields
end
