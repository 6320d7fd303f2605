-- Changes a field of a hash that was looked at. It is written with all the batch has for that hash, at the batch's end, before
-- anything is published (see post).
local unwritten = {}
endings[#endings + 1] = function()
  for key, fields in pairs(unwritten) do
    local words = {}
    for field, value in pairs(fields) do
      words[#words + 1] = field
      words[#words + 1] = value
    end
    redis.call('HSET', key, unpack(words))
  end
end
local function note(key, field, value)
  known[key][field] = value
  local fields = unwritten[key]
  if not fields then
    fields = {}
    unwritten[key] = fields
  end
  fields[field] = value
end
