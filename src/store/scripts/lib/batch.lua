-- Runs the jobs of a batch and sends what they have posted.
local function batch(first, width, to, job)
  local replies = run_jobs(first, width, job)
  for node, letter in pairs(letters) do
    redis.call('SPUBLISH', to .. node, table.concat(letter))
  end
  return replies
end
