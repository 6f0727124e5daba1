-- SPDX-License-Identifier: Apache-2.0
-- Effects: what accepting an event or completing an entity changes besides itself. They are applied in the
-- same call, so that an event is never accepted without being due, nor an order settled without its SKUs
-- being due. Arguments are flat: name, then a fixed number of values.

-- How often the writer had to wait for a call to BigCommerce so far.
local function stock_waits(P)
  return redis.call('HGET', P .. 'count', 'waits:bigcommerce:stock') or '0'
end

-- mark: the entity is due now. Marking twice does no harm. While it is leased only gen rises, and complete
-- makes it due again. Most marks of a busy hour bring nothing new (the ledger is due already): they write nothing
-- and wake nobody, since whoever was woken has not looked yet.
-- came: when the event behind it came to us, if that was before now; see 68_windows.lua.
local function mark(P, now, queue, entity, till, hint, data, came)
  local job = job_key(P, queue, entity)
  local old = redis.call('HMGET', job, 'gen', 'till', 'hint', 'lease', 'since', 'event')
  local leased, set = old[4] == '1', {}
  if leased or not old[1] then
    set = { 'gen', int((tonumber(old[1] or '') or 0) + 1) }
  end
  if not old[1] or (tonumber(old[5] or '') or 0) > now then -- a timer (30_claim.lua) that is asked for early
    set[#set + 1] = 'since'
    set[#set + 1] = int(now)
  end
  local first = earlier(old[2], till)
  if first > 0 then
    set[#set + 1] = 'till'
    set[#set + 1] = int(first)
    if queue == 'sku' and not old[6] then
      set[#set + 1] = 'event'
      set[#set + 1] = int(came or now)
      set[#set + 1] = 'waits'
      set[#set + 1] = stock_waits(P)
    end
  end
  if hint ~= '' then
    set[#set + 1] = 'hint'
    set[#set + 1] = join_words(old[3], hint)
  end
  if data ~= '' then
    set[#set + 1] = 'data'
    set[#set + 1] = data
  end
  if #set > 0 then
    redis.call('HSET', job, unpack(set))
  end
  if not leased and redis.call('ZADD', P .. 'due:' .. queue, 'LT', 'CH', int(now), entity) == 1 then
    return queue
  end
  return nil
end

-- mark_in: the entity is due after delay_ms, so that what comes meanwhile is done with it. One that waits already keeps its
-- time, so it is neither hurried nor put off for ever; while it is leased this is a mark.
local function mark_in(P, now, queue, entity, delay, hint)
  local job, at = job_key(P, queue, entity), now + math.max(0, tonumber(delay) or 0)
  local old = redis.call('HMGET', job, 'gen', 'hint', 'lease')
  local leased, set = old[3] == '1', {}
  if leased or not old[1] then
    set = { 'gen', int((tonumber(old[1] or '') or 0) + 1) }
  end
  if not old[1] then
    set[#set + 1] = 'since' -- it waits on purpose: late only after that
    set[#set + 1] = int(at)
  end
  if hint ~= '' then
    set[#set + 1] = 'hint'
    set[#set + 1] = join_words(old[2], hint)
  end
  if #set > 0 then
    redis.call('HSET', job, unpack(set))
  end
  if not leased and redis.call('ZADD', P .. 'due:' .. queue, 'NX', int(at), entity) == 1 then
    return queue
  end
  return nil
end

-- A case was opened: people are told of urgent ones (87_notify.lua) by each channel that has a sink.
local function notify_case(P, now, id, cause)
  for _, channel in ipairs({ 'webhook', 'email' }) do
    if redis.call('SISMEMBER', P .. 'notify:causes', channel .. ' ' .. cause) == 1 then
      redis.call('ZADD', P .. 'notify:new:' .. channel, 'NX', int(now), id)
      mark(P, now, 'notify', channel, '', '', '')
      wake(P, 'notify')
    end
  end
end

-- case: one parked case per cause and entity, with a counter. Cases on the ignore list are only counted.
-- times = 0: somebody noticed the cause, but it is not a further occurrence.
local function park_case(P, now, times, cause, owner, entity, text, effect, step, queue, job, bytes)
  local id = cause .. ':' .. entity
  if redis.call('SISMEMBER', P .. 'ignore', id) == 1 then
    count(P, 'ignored', times)
    return
  end
  local key = P .. 'case:' .. id
  local fresh = redis.call('EXISTS', key) == 0
  redis.call('HINCRBY', key, 'count', times)
  if fresh then
    redis.call('HSET', key, 'first', int(now), 'cause', cause, 'entity', entity)
    redis.call('ZADD', P .. 'parked', int(now), id)
    count(P, 'parked', 1)
    ledger_add(P, now, cjson.encode({ type = 'parked', cause = cause, entity = entity, queue = queue, job = job, owner = owner }))
    notify_case(P, now, id, cause)
  end
  redis.call('HSET', key, 'last', int(now), 'owner', owner, 'text', text, 'effect', effect, 'step', step,
    'queue', queue, 'job', job)
  if bytes ~= '' then
    redis.call('HSET', key, 'bytes', bytes)
  end
end

-- how: what ended it, for the ledger; left out: the cause is gone.
local function close_case(P, id, how)
  if redis.call('ZREM', P .. 'parked', id) == 1 then
    local f = redis.call('HMGET', P .. 'case:' .. id, 'cause', 'entity', 'queue', 'job')
    redis.call('DEL', P .. 'case:' .. id)
    redis.call('ZREM', P .. 'notify:new:webhook', id)
    redis.call('ZREM', P .. 'notify:new:email', id)
    count(P, 'parked_closed', 1)
    ledger_add(P, now_ms(), cjson.encode({ type = 'case_ended', cause = f[1] or '', entity = f[2] or id, queue = f[3] or '',
      job = f[4] or '', how = how or 'resolved' }))
    return 1
  end
  return 0
end

-- True the first time that an operation id is seen: what makes a record happen once.
local function first_time(P, op)
  return op == '' or redis.call('SET', P .. 'op:' .. op, '1', 'NX', 'EX', OP_KEEP_S) ~= false
end

-- The same of an operation on units that came back; at: the return's date, '0' = unknown. The mark lasts until nobody acts
-- on the return any more, also if its date lies ahead.
local function first_time_of_return(P, now, op, at)
  local from = math.max(now, tonumber(at) or 0)
  return redis.call('SET', P .. 'op:' .. op, '1', 'NX', 'PXAT', int(from + RETURN_KEEP_MS)) ~= false
end

-- A return of so long ago that its marks may be gone: whether it was judged cannot be told, so it is not judged (again).
local function too_old(P, now, at)
  local ms = tonumber(at) or 0
  if ms > 0 and now - ms > RETURN_JUDGED_MS then
    count(P, 'returns:too_old', 1)
    return true
  end
  return false
end

-- A verdict on the units of one returned row. Sellable: they are withheld no more, on either side; a side whose row comes
-- later is below zero until then. Anything else: they stay withheld, and an entry says why, until they are released.
local function withheld_change(P, id, warehouse, sku, units)
  local field = warehouse .. '|' .. sku
  redis.call('HINCRBY', P .. 'withheld:l', field, int(-units))
  redis.call('HINCRBY', P .. 'withheld:r', field, int(-units))
end

-- Lets units of one entry go; '' or more than there are: all that is left. Returns how many (thousandths).
local function release_entry(P, now, id, units, how)
  local key = P .. 'withheld:row:' .. id
  local f = redis.call('HMGET', key, 'warehouse', 'sku', 'left')
  if not f[1] then
    return 0
  end
  local left = tonumber(f[3])
  local n = math.min(tonumber(units) or left, left)
  withheld_change(P, id, f[1], f[2], n)
  if n == left then
    local of = P .. 'withheld:of:' .. f[1] .. '|' .. f[2]
    redis.call('DEL', key)
    redis.call('ZREM', P .. 'withheld:rows', id)
    redis.call('ZREM', of, id)
    if redis.call('EXISTS', of) == 0 then
      close_case(P, 'stock_count_withheld:' .. f[1] .. '|' .. f[2])
    end
  else
    redis.call('HSET', key, 'left', int(left - n))
  end
  ledger_add(P, now, cjson.encode({ type = 'release', entry = id, warehouse = f[1], sku = f[2], thousandths = int(n), how = how }))
  return n, mark(P, now, 'sku', f[2], '0', 'v' .. f[1], '')
end

-- Units withheld at "warehouse|sku" as the level counts them (shared/level.c), and how many of them no entry speaks of.
local function withheld_there(P, field)
  local all, judged = 0, 0
  for _, side in ipairs({ 'l', 'r' }) do
    all = math.max(all, tonumber(redis.call('HGET', P .. 'withheld:' .. side, field) or '') or 0)
  end
  for _, id in ipairs(redis.call('ZRANGE', P .. 'withheld:of:' .. field, 0, -1)) do
    judged = judged + (tonumber(redis.call('HGET', P .. 'withheld:row:' .. id, 'left') or '') or 0)
  end
  return all, math.max(0, all - judged)
end

-- Goods left the warehouse otherwise than by a sale: the oldest withheld units of the SKU there went with them, then those
-- that nobody has judged yet. Of these as many are remembered as gone, with the time, for the verdicts that follow.
-- Never more than the ledger itself has brought back so far: a return whose order is known already may have come after this row.
-- For the same reason a row that lets nothing go is marked too: read again, it would take what came back after it.
local function moved_out(P, now, op, warehouse, sku, units, at)
  local field, queue = warehouse .. '|' .. sku, nil
  if not first_time(P, op) then
    return nil
  end
  local left = math.min(tonumber(units), tonumber(redis.call('HGET', P .. 'withheld:l', field) or '') or 0)
  if left <= 0 then
    return nil
  end
  if withheld_there(P, field) == 0 and redis.call('EXISTS', P .. 'withheld:of:' .. field) == 0 then
    return nil
  end
  for _, id in ipairs(redis.call('ZRANGE', P .. 'withheld:of:' .. field, 0, -1)) do
    if left > 0 then
      local n, due = release_entry(P, now, id, left, op)
      left, queue = left - n, queue or due
    end
  end
  local _, unjudged = withheld_there(P, field)
  local gone = math.min(left, unjudged)
  if gone > 0 then
    local n, last = string.match(redis.call('HGET', P .. 'withheld:gone', field) or '0 0', '^(%d+) (%d+)$')
    redis.call('HSET', P .. 'withheld:gone', field, int(tonumber(n) + gone) .. ' ' .. int(math.max(tonumber(last), tonumber(at))))
    withheld_change(P, '', warehouse, sku, gone)
    ledger_add(P, now, cjson.encode({ type = 'release', entry = '', warehouse = warehouse, sku = sku, thousandths = int(gone), how = op }))
    queue = mark(P, now, 'sku', sku, '0', 'v' .. warehouse, '') or queue
  end
  return queue
end

-- How many of the units that came back at that time went before they were judged; they are counted off.
local function take_gone(P, field, units, at)
  local n, last = string.match(redis.call('HGET', P .. 'withheld:gone', field) or '', '^(%d+) (%d+)$')
  if not n or tonumber(at) > tonumber(last) then
    return 0
  end
  local taken = math.min(tonumber(n), units)
  if taken == tonumber(n) then
    redis.call('HDEL', P .. 'withheld:gone', field)
  else
    redis.call('HSET', P .. 'withheld:gone', field, int(tonumber(n) - taken) .. ' ' .. last)
  end
  return taken
end

local function verdict(P, now, ret, item, warehouse, sku, units, word, reason, at)
  local id, fields = ret .. ':' .. item, nil
  local key = P .. 'withheld:row:' .. id
  local known = redis.call('EXISTS', key) == 1 -- it was judged, however long ago
  if not known and too_old(P, now, at) then
    return nil
  end
  if not known and first_time_of_return(P, now, 'verdict:' .. id, at) then
    local field = warehouse .. '|' .. sku
    local here = tonumber(units)
    if word ~= 'sellable' then
      here = here - take_gone(P, field, here, at)
    elseif redis.call('HEXISTS', P .. 'withheld:gone', field) == 1 then
      -- What went is counted off units that may not be sold, as long as there can be any among those not judged yet.
      local _, unjudged = withheld_there(P, field)
      here = here - take_gone(P, field, math.max(0, here - unjudged), at)
    end
    if here > 0 and word == 'sellable' then
      withheld_change(P, id, warehouse, sku, here)
    elseif here > 0 then
      redis.call('HSET', key, 'warehouse', warehouse, 'sku', sku, 'left', int(here), 'verdict', word, 'reason', reason, 'since', at)
      redis.call('ZADD', P .. 'withheld:rows', at, id)
      redis.call('ZADD', P .. 'withheld:of:' .. warehouse .. '|' .. sku, at, id)
    end
  else
    fields = redis.call('HMGET', key, 'left', 'verdict')
    if not fields[1] or fields[2] == word then
      return nil
    end
    if word == 'sellable' then
      release_entry(P, now, id, '', 'verdict')
    else
      redis.call('HSET', key, 'verdict', word, 'reason', reason)
    end
  end
  ledger_add(P, now, cjson.encode({ type = 'verdict', ['return'] = ret, item = item, warehouse = warehouse, sku = sku,
    thousandths = units, verdict = word, reason = reason }))
  return nil
end

-- name -> { number of arguments, function(P, now, arguments...) returning a queue to wake or nil, which argument
-- must be a whole number (or '') }
local EFFECTS = {
  mark = { 5, mark, 3 },
  mark_in = { 4, mark_in, 3 },
  case = { 9, function(P, now, ...) park_case(P, now, 1, ...) end },
  -- Sold, and nobody knows yet which item it is: counted, so that its case starts with the right number.
  sold = { 1, function(P, _, sku) redis.call('HINCRBY', P .. 'unidentified', sku, 1) end },
  identified = { 1, function(P, _, sku) redis.call('HDEL', P .. 'unidentified', sku) end },
  case_sold = { 9, function(P, now, cause, owner, sku, ...)
    local times = tonumber(redis.call('HGET', P .. 'unidentified', sku) or '') or 0
    redis.call('HDEL', P .. 'unidentified', sku)
    park_case(P, now, times, cause, owner, sku, ...)
  end },
  -- A level that BigCommerce refuses, with its location: 70_level.lua ends the case when one is confirmed there.
  refused = { 10, function(P, now, location, cause, owner, entity, ...)
    park_case(P, now, 1, cause, owner, entity, ...)
    local key = P .. 'case:' .. cause .. ':' .. entity
    if redis.call('EXISTS', key) == 1 then
      redis.call('HSET', key, 'at:' .. location, 1)
    end
  end, 1 },
  notice = { 9, function(P, now, ...) park_case(P, now, 0, ...) end },
  -- A cause that is found anew whenever somebody looks: its case is made once per operation, so that one which a person
  -- closed stays closed, and is kept up to date while it is open.
  case_first = { 10, function(P, now, op, cause, owner, entity, ...)
    if first_time(P, op) then
      park_case(P, now, 1, cause, owner, entity, ...)
    elseif redis.call('EXISTS', P .. 'case:' .. cause .. ':' .. entity) == 1 then
      park_case(P, now, 0, cause, owner, entity, ...)
    end
  end },
  close = { 1, function(P, _, id) close_case(P, id) end },
  count = { 2, function(P, _, name, n) count(P, name, n) end, 2 },
  -- A signed call was taken: what is late and comes again is a replay (shared/hook_signature.h).
  hook_seen = { 1, function(P, _, digest) redis.call('SET', P .. 'hook:' .. digest, '1', 'EX', HOOK_KEEP_S) end },
  log = { 2, function(P, now, op, json)
    if first_time(P, op) then
      ledger_add(P, now, json)
    end
  end },
  -- A sale as it was rung up: recorded once per order row.
  sale = { 2, function(P, now, op, json)
    if first_time(P, op) then
      count(P, 'sales', 1)
      ledger_add(P, now, json)
    else
      count(P, 'sales_again', 1)
    end
  end },
  verdict = { 8, verdict, 5 },
  -- release: op id, entry "return:item", thousandths or '' = all, how (who or what released them).
  release = { 4, function(P, now, op, id, units, how)
    if not first_time_of_return(P, now, op, '0') then
      return nil
    end
    local _, queue = release_entry(P, now, id, units, how)
    return queue
  end, 3 },
  moved_out = { 5, moved_out, 4 },
  -- A stock was counted: a case, once per operation, if units of the SKU are withheld at that place. Their number is put in
  -- front of its text.
  counted = { 11, function(P, now, op, place, cause, owner, entity, text, ...)
    local all = withheld_there(P, place)
    if all > 0 and first_time(P, op) then
      local number = string.gsub(string.format('%.3f', all / 1000), '%.?0+$', '')
      park_case(P, now, 1, cause, owner, entity, number .. ' ' .. text, ...)
    end
  end },
  -- What became of a return: its three verdicts, for people.
  returned = { 2, function(P, now, id, json)
    redis.call('SET', P .. 'return:' .. id, json, 'EX', OP_KEEP_S)
    redis.call('ZADD', P .. 'returns', int(now), id)
    redis.call('ZREMRANGEBYRANK', P .. 'returns', 0, -10001)
  end },
  -- Units withheld from sale. They are counted from two sides, the ledger ("l") and the return orders ("r");
  -- the larger of both is withheld, so it does not matter which is read first.
  hold = { 5, function(P, now, op, side, warehouse, sku, thousandths)
    if first_time_of_return(P, now, op, '0') then
      redis.call('HINCRBY', P .. 'withheld:' .. side, warehouse .. '|' .. sku, thousandths)
    end
  end, 5 },
  -- The side of the orders: op id, warehouse, SKU, thousandths, when it came back (ms; 0 = unknown).
  hold_return = { 5, function(P, now, op, warehouse, sku, thousandths, at)
    if not too_old(P, now, at) and first_time_of_return(P, now, op, at) then
      redis.call('HINCRBY', P .. 'withheld:r', warehouse .. '|' .. sku, thousandths)
      ledger_add(P, now, cjson.encode({ type = 'withheld', op = op, warehouse = warehouse, sku = sku, thousandths = thousandths }))
    end
  end, 4 },
}

-- keep_...: field, value: what is remembered of products (shared/product_known.h); '' forgets. Redis has no pairs() while it
-- loads a library, so the names are not in a table.
local function remember(name, key)
  EFFECTS['keep_' .. name] = { 2, function(P, _, field, value)
    if value == '' then
      redis.call('HDEL', P .. key, field)
    else
      redis.call('HSET', P .. key, field, value)
    end
  end }
end
remember('product', 'products')
remember('sku', 'product:skus')
remember('variant', 'product:variants')
remember('barcode', 'product:barcodes')
remember('folded', 'product:folded')
remember('image', 'product:images')

-- What is wrong with args[from..to], or nil. Redis does not roll back what a function wrote before it failed, so
-- every caller checks everything before its first write.
local function wrong_effects(args, from, to)
  local i = from
  while i <= to do
    local effect = EFFECTS[args[i]]
    if not effect or i + effect[1] > to then
      return 'effect ' .. tostring(args[i]) .. ' is unknown or cut short'
    end
    local number = effect[3] and args[i + effect[3]]
    if number and number ~= '' and not number:match('^%-?%d+$') then
      return 'effect ' .. args[i] .. ': ' .. number .. ' is not a whole number'
    end
    i = i + 1 + effect[1]
  end
  return nil
end

-- Applies args[from..to], which wrong_effects has passed. Wakes each queue once. came: as of mark.
local function apply_effects(P, now, args, from, to, came)
  local queues, i = {}, from
  if from <= to then
    next_token(P) -- the epoch's position, see 95_epoch.lua
  end
  while i <= to do
    local effect = EFFECTS[args[i]]
    local queue
    if came and args[i] == 'mark' then
      queue = mark(P, now, args[i + 1], args[i + 2], args[i + 3], args[i + 4], args[i + 5], came)
    else
      queue = effect[2](P, now, unpack(args, i + 1, i + effect[1]))
    end
    if queue then
      queues[queue] = true
    end
    i = i + 1 + effect[1]
  end
  for queue in pairs(queues) do
    wake(P, queue)
  end
end

local function refuse(problem)
  return redis.error_reply('BADCALL ' .. problem)
end

-- apply(effects...): effects on their own (a person's retry, the writer's marks).
register('apply', function(P, args)
  local wrong = wrong_effects(args, 1, #args)
  if wrong then
    return refuse(wrong)
  end
  apply_effects(P, now_ms(), args, 1, #args)
  return 1
end)
