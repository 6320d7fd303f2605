-- Publishes one bus entry to the channel of each node: header line, then the frame (see bus/envelope.ts).
local function tell(nodes, to, kind, topic, mark, frame)
  local entry = kind .. ' ' .. topic .. ' ' .. mark .. ' ' .. #frame .. '\n' .. frame
  for _, node in ipairs(nodes) do
    redis.call('SPUBLISH', to .. node, entry)
  end
end
