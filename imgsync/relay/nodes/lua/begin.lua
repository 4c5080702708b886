-- The epoch, which is a new one where there is none, or where this server is another one than that
-- which it began on, and has perhaps lost the last of what was written. The keys of all else have
-- its name in them, so that nothing of an old one is ever found.
--
-- KEYS: the hash of what holds for all.
-- ARGV: a name for a new epoch, the server's own id, milliseconds to keep keys.

local root, fresh, run, kept = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local epoch, begun_on, version = unpack(redis.call('HMGET', root, 'epoch', 'run', 'version'))
if not epoch or begun_on ~= run then
  epoch = fresh
  -- No version ever comes again, even if what counted them is lost.
  version = math.max(tonumber(version or 0) + 1, math.floor(clock() * 1000000))
  redis.call('HSET', root, 'epoch', epoch, 'run', run, 'version', digits(version), 'standings', 0)
end
keep(kept, root)
return epoch
