-- The lease of a boot, and what it is told: by which version a client last came to stand elsewhere,
-- the deadlines that have passed, in how many seconds the next one will, and boots that are dead.
--
-- KEYS: the hash of what holds for all, the boots, deadlines, the inbox of this boot; behind them
-- all else that is to be kept.
-- ARGV: epoch, boot, seconds of its lease, milliseconds to keep keys, the first entry of the inbox
-- that it has not read, how many deadlines and boots it is told at most.

local epoch, boot, lease, kept, unread, most = unpack(ARGV)
local boots, deadlines, inbox = KEYS[2], KEYS[3], KEYS[4]
if not is_of(epoch) then
  return 'epoch'
end
local now = clock()
if not lives(redis.call('ZSCORE', boots, boot), now) then
  return 'lease'
end
redis.call('ZADD', boots, now + lease, boot)
redis.call('XTRIM', inbox, 'MINID', unread)
keep(kept, unpack(KEYS))

local till = string.format('%.17g', now)
local past = redis.call('ZRANGEBYSCORE', deadlines, '-inf', till, 'LIMIT', 0, most)
local after = redis.call('ZRANGEBYSCORE', deadlines, '(' .. till, 'inf', 'WITHSCORES', 'LIMIT', 0, 1)
local dead = redis.call('ZRANGEBYSCORE', boots, '-inf', till, 'LIMIT', 0, most)
local seconds = after[2] and string.format('%.6f', after[2] - now) or ''
return { redis.call('HGET', KEYS[1], 'standings'), past, seconds, dead }
