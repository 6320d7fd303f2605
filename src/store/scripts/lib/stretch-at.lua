-- The stretch of `ref_ttl` ms (see older-ref) in which a conversation's next message lies, and the one before it, as they are
-- written in keys. Also returns by how much of one they begin earlier than the clock's: each bucket's begin at a time of their
-- own, evenly spread by the golden ratio. To free the refs of many busy conversations takes Redis seconds, in which it does
-- nothing else, if all end at once.
local function stretch_at(own, ms)
  local shift = string.match(own, '{(%d+)}') * 0.618034
  local stretch = math.floor(ms / ref_ttl + shift)
  return string.format('%d', stretch), string.format('%d', stretch - 1), shift
end
