-- Runs the jobs of a batch, which take `width` arguments each, and gathers their replies; then does what has to be done once
-- for all of them. A job that fails says so in its own reply, behind a '!', and leaves the others alone.
local endings = {}
local function run_jobs(first, width, job)
  local replies = {}
  for at = first, #ARGV, width do
    local done, reply = pcall(job, unpack(ARGV, at, at + width - 1))
    replies[#replies + 1] = done and reply or '!' .. (type(reply) == 'table' and reply.err or reply)
  end
  for _, ending in ipairs(endings) do
    ending()
  end
  return replies
end
