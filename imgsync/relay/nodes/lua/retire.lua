-- A boot that is dead, or ends itself, and has no sockets: nothing is kept of it.
--
-- KEYS: the hash of what holds for all, the boots, the records in which it has sockets, its inbox.
-- ARGV: epoch, boot, 'leave' where it ends itself.

local boots, held, inbox = KEYS[2], KEYS[3], KEYS[4]
local epoch, boot, how = unpack(ARGV)
if not is_of(epoch) then
  return 'epoch'
end
if how == 'leave' then
  redis.call('ZADD', boots, 'XX', 0, boot)
end
if lives(redis.call('ZSCORE', boots, boot), clock()) or redis.call('SCARD', held) > 0 then
  return 0
end
redis.call('ZREM', boots, boot)
redis.call('DEL', inbox)
return 1
