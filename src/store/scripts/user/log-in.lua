#!lua
--[[ log-in: notes a new refresh token of one who has shown the password.
  Why a script: pruning and noting as one.     Cost: O(refresh tokens)
  KEYS refresh   hash, digest of a refresh token → its end, Unix ms
  ARGV digest    of the refresh token
  ARGV ttl       ms it lives
  RETURNS        ok
]]
local refresh = KEYS[1]
local digest, ttl = ARGV[1], ARGV[2]
-- @include note-refresh

note_refresh(refresh, digest, ttl)
return { 'ok' }
