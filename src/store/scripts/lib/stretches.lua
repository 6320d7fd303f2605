-- The stretches of `ref_ttl` ms, each a number, in which a conversation's next message and its last one lie, and by how much of
-- one these begin earlier than the clock's. Each bucket's begin at a time of their own, evenly spread by the golden ratio: to
-- free the refs of many busy conversations takes Redis seconds, in which it does nothing else, if all end at once.
local function stretches(own, ms, last_ms)
  local shift = string.match(own, '{(%d+)}') * 0.618034
  return string.format('%d', ms / ref_ttl + shift), string.format('%d', last_ms / ref_ttl + shift), shift
end
