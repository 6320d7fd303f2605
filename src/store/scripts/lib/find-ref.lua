-- Looks through a log from its end for the entry that starts with `needle` (conversation, sender and ref).
-- Only a send marked `retry` that missed the ref's own key pays for this.
local function find_ref(log, needle)
  local newest = '+'
  while true do
    local page = redis.call('XREVRANGE', log, newest, '-', 'COUNT', 100)
    for _, entry in ipairs(page) do
      if string.sub(entry[2][2], 1, #needle) == needle then
        return entry[1]
      end
    end
    if #page < 100 then
      return nil
    end
    newest = '(' .. page[#page][1]
  end
end
