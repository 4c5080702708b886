-- An empty entry in the inbox of a boot, by which it sees whether it still hears.
--
-- KEYS: the hash of what holds for all, the boots, its inbox.
-- ARGV: epoch, boot, milliseconds to keep keys.

local epoch, boot, kept = unpack(ARGV)
if not is_of(epoch) then
  return 'epoch'
end
if not lives(redis.call('ZSCORE', KEYS[2], boot), clock()) then
  return 'lease'
end
redis.call('XADD', KEYS[3], '*', '', '')
keep(kept, KEYS[3])
return 'done'
