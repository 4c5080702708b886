-- Where clients stand, and by which version any last came to stand elsewhere, of the same moment.
--
-- KEYS: the hash of what holds for all, the boots, standings.
-- ARGV: epoch.

if not is_of(ARGV[1]) then
  return 'epoch'
end
return { redis.call('HGET', KEYS[1], 'standings'), redis.call('HGETALL', KEYS[3]) }
