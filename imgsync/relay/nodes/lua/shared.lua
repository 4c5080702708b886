-- Stands before each script: what all of them ask first.
--
-- KEYS[1] is the hash of what holds for all: epoch, run, version, standings. KEYS[2] has the boots, each
-- with the time at which its lease ends. Times are in seconds, on the clock of this server.

local function clock()
  local time = redis.call('TIME')
  return time[1] + time[2] / 1000000
end

local function is_of(epoch)
  return redis.call('HGET', KEYS[1], 'epoch') == epoch
end

-- A boot that lives at a time; `ends` is what stands in KEYS[2], or false.
local function lives(ends, now)
  return ends and tonumber(ends) > now
end

-- Versions are larger than what Lua writes by itself without loss.
local function digits(number)
  return string.format('%.0f', number)
end

-- Whole keys alone expire: an entry never does while any node renews its lease.
local function keep(milliseconds, ...)
  for _, key in ipairs({ ... }) do
    redis.call('PEXPIRE', key, milliseconds)
  end
end
