-- Runs the jobs of a batch, which take `width` arguments each, the first of them `own`, and gathers their replies; then does
-- what has to be done once for all of them. A job that fails says so in its own reply, behind a '!', and leaves the others
-- alone.
--
-- On a single Redis a call names no key. In a cluster it names one, `here`, of its first job's bucket, which brings it to the
-- master of all its jobs. But a slot may be on its way to another master: keys that are gone already are refused then, those
-- still there are served, and a ref would be claimed for a message that no log takes. So a job first looks for two keys of its
-- bucket that never exist. That is refused where the slot leaves, where it has left, and, since there are two of them, where it
-- arrives; such a job has done nothing, and says so behind a '?'.
local endings = {}
local bucket -- what the present job's keys start with, in a cluster
local served = {}
local function enter(own)
  bucket = string.match(own, '^.-}:')
  if not served[bucket] then
    redis.call('EXISTS', bucket .. 'here', bucket .. 'there')
    served[bucket] = true
  end
end
local function run_jobs(first, width, job)
  local replies = {}
  for at = first, #ARGV, width do
    local sign, done, reply = '?', true, nil
    if #KEYS > 0 then
      done, reply = pcall(enter, ARGV[at])
    end
    if done then
      sign = '!'
      done, reply = pcall(job, unpack(ARGV, at, at + width - 1))
    end
    replies[#replies + 1] = done and reply or sign .. (type(reply) == 'table' and reply.err or reply)
  end
  for _, ending in ipairs(endings) do
    ending()
  end
  return replies
end
