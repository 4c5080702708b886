-- A boot lives from now on.
--
-- KEYS: the hash of what holds for all, the boots.
-- ARGV: epoch, boot, seconds of its lease, milliseconds to keep keys.

local epoch, boot, lease, kept = unpack(ARGV)
if not is_of(epoch) then
  return 'epoch'
end
redis.call('ZADD', KEYS[2], clock() + lease, boot)
keep(kept, KEYS[1], KEYS[2])
return 'done'
