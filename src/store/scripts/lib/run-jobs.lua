-- Runs the jobs of a batch, which take `width` arguments each, and gathers their replies. A job that fails says so in
-- its own reply, behind a '!', and leaves the others alone.
local function run_jobs(first, width, job)
  local replies = {}
  for at = first, #ARGV, width do
    local done, reply = pcall(job, unpack(ARGV, at, at + width - 1))
    replies[#replies + 1] = done and reply or '!' .. (type(reply) == 'table' and reply.err or reply)
  end
  return replies
end
