-- The records in which a boot has sockets.
--
-- KEYS: the hash of what holds for all, the boots, the records of this boot.
-- ARGV: epoch.

if not is_of(ARGV[1]) then
  return 'epoch'
end
return redis.call('SMEMBERS', KEYS[3])
