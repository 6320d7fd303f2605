-- Notes whom a change in a group has still to be told to: their own books lie in other slots, and the node that tells
-- them may die before it has. It takes the note away when all of them know.
local function note_untold(untold, change, group, id, users, tail)
  redis.call('HSET', untold, group .. ' ' .. id, change .. ' ' .. table.concat(users, ',') .. ' ' .. tail)
end
