-- Carries out transactions, one after the other, each wholly or not at all. It decides nothing: it
-- compares what was decided with what there is.
--
-- KEYS: the hash of what holds for all, the boots, versions, records, deadlines, standings; behind
-- them the inboxes of the boots that are told something, and the records in which boots have
-- sockets, by boot.
-- ARGV: the transactions, as `transactions.py` writes them; the channel of hints; texts. What
-- stands in the transactions as a number is a place: in `names`, in KEYS behind the sixth, in ARGV.
--
-- Answers with its answers, as JSON, and the texts of records that are not as they were thought.

local asked = cjson.decode(ARGV[1])
local root, boots, versions, records, deadlines, standings = unpack(KEYS, 1, 6)
local call = redis.call

if not is_of(asked.epoch) then
  return 'epoch'
end
local now = clock()
local ends = call('ZMSCORE', boots, asked.boot, unpack(asked.alive))
if not lives(ends[1], now) then
  return 'lease'
end

-- By the place of their names; what this script writes itself is written here, too.
local known = {}
if #asked.names > 0 then
  for place, version in ipairs(call('HMGET', versions, unpack(asked.names))) do
    known[place] = tonumber(version or 0)
  end
end

-- Of all that are to come, before anything is written: where Redis takes nothing because it is full
-- or follows another one, it says so here, and nothing is half done.
local version = 0
if asked.changes > 0 then
  version = call('HINCRBY', root, 'version', asked.changes) - asked.changes
end

local texts, hints, touched, outgoing, waiting = {}, {}, {}, {}, {}

local function stale(one)
  for place = 1, #one.reads, 2 do
    if known[one.reads[place]] ~= one.reads[place + 1] then
      local answer, names = { 'stale' }, {}
      for at = 1, #one.reads, 2 do
        local name = one.reads[at]
        answer[#answer + 1] = digits(known[name])
        if known[name] > 0 then
          names[#names + 1] = asked.names[name]
        end
      end
      if #names > 0 then
        for _, text in ipairs(call('HMGET', records, unpack(names))) do
          texts[#texts + 1] = text
        end
      end
      return answer
    end
  end
end

local function early(due)
  local at = due and call('ZSCORE', deadlines, due)
  return due and (not at or tonumber(at) > now) and { 'early' }
end

local function some(kind, places, is_one)
  local answer = { kind }
  for _, place in ipairs(places or {}) do
    if is_one(place) then
      answer[#answer + 1] = place
    end
  end
  return #answer > 1 and answer
end

local function is_dead(place)
  return not lives(ends[place + 1], now)
end

local function is_full(place)
  if not waiting[place] then
    waiting[place] = call('XLEN', KEYS[6 + place])
  end
  return waiting[place] >= asked.most
end

local function write(writes)
  version = version + 1
  for place = 1, #writes, 2 do
    local name, text = asked.names[writes[place]], ARGV[writes[place + 1]]
    if text then
      call('HSET', records, name, text)
      call('HSET', versions, name, digits(version))
      known[writes[place]] = version
    else
      call('HDEL', records, name)
      call('HDEL', versions, name)
      known[writes[place]] = 0
    end
  end
  touched[versions], touched[records] = true, true
  return version
end

local function hold(command, places)
  for place = 1, #places, 2 do
    local held = KEYS[6 + places[place]]
    call(command, held, asked.names[places[place + 1]])
    touched[held] = true
  end
end

local function set_deadlines(all)
  for place = 1, #all, 3 do
    local name, kind, seconds = all[place], all[place + 1], all[place + 2]
    if kind == 'none' then
      call('ZREM', deadlines, name)
    else
      call('ZADD', deadlines, kind == 'after' and now + seconds or seconds, name)
    end
  end
  touched[deadlines] = true
end

local function place_clients(all, written)
  for place = 1, #all, 2 do
    local client, text = all[place], ARGV[all[place + 1]]
    if text then
      call('HSET', standings, client, digits(written) .. ' ' .. text)
    else
      call('HDEL', standings, client)
    end
    hints[#hints + 1] = { client, digits(written), text or false }
  end
  call('HSET', root, 'standings', digits(written))
  touched[standings] = true
end

local function say(one, written)
  for _, place in ipairs(one.told) do
    outgoing[place] = outgoing[place] or {}
  end
  for place = 1, #(one.pushes or {}), 3 do
    local entry, name = outgoing[one.pushes[place]], asked.names[one.pushes[place + 1]]
    local text = ARGV[one.pushes[place + 2]]
    entry[#entry + 1] = (text and 'w' or 'd') .. digits(written) .. ' ' .. name
    entry[#entry + 1] = text or ''
  end
  for place = 1, #(one.posts or {}), 3 do
    local entry, first = outgoing[one.posts[place]], one.posts[place + 1]
    for at = first, first + 2 * one.posts[place + 2] - 1 do
      entry[#entry + 1] = ARGV[at]
    end
  end
end

local function carry_out(one)
  local refused = stale(one) or early(one.due) or some('dead', one.alive, is_dead)
    or some('full', one.told, is_full)
  if refused then
    return cjson.encode(refused)
  end
  local written = one.writes and write(one.writes) or 0
  if one.joins then hold('SADD', one.joins) end
  if one.leaves then hold('SREM', one.leaves) end
  if one.due then call('ZREM', deadlines, one.due) end
  if one.deadlines then set_deadlines(one.deadlines) end
  if one.standings then place_clients(one.standings, written) end
  if one.told then say(one, written) end
  return digits(written)
end

local answers = {}
for number, one in ipairs(asked.transactions) do
  answers[number] = carry_out(one)
end

for place, entry in pairs(outgoing) do
  local inbox = KEYS[6 + place]
  if #entry == 0 then
    entry = { '', '' }
  end
  call('XADD', inbox, '*', unpack(entry))
  if waiting[place] == 0 then
    touched[inbox] = true
  end
end
for key in pairs(touched) do
  keep(asked.kept, key)
end
if #hints > 0 then
  call('PUBLISH', ARGV[2], cjson.encode({ asked.epoch, hints }))
end
return { '[' .. table.concat(answers, ',') .. ']', unpack(texts) }
