-- Where clients stand, and how often any has come to stand elsewhere, both of the same moment.
--
-- KEYS: the hash of what holds for all, the boots, standings.
-- ARGV: epoch.

if not is_of(ARGV[1]) then
  return 'epoch'
end
return { redis.call('HGET', KEYS[1], 'count'), redis.call('HGETALL', KEYS[3]) }
