-- SPDX-License-Identifier: Apache-2.0
-- Pending: units of web orders that hold stock and whose reservation in Sitoo was not seen.
-- handed: order -> JSON { seen, raw = { { "target|sku", thousandths }... }, cover = { sku = thousandths },
--   staged = { sku = { thousandths, warehouse } }, open = { "warehouse|sku" = thousandths } }, what is known of each order:
--   raw: what it holds, as BigCommerce has it; cover: what of it stands in Sitoo's numbers, reserved or delivered; staged:
--   the same, seen in Sitoo and not yet taken over; open: what its Sitoo orders should reserve; ended: when it was last looked
--   at on both sides, it held nothing.
-- pending:orders: order -> JSON { status, modified, rows = { { "target|sku", thousandths }... } }, raw less cover
-- pending:qty: "target|sku" -> thousandths, the sum over orders; target is a warehouse, or 0 for rows that no
--   warehouse was chosen for.
-- handed:open: "warehouse|sku" -> thousandths, the sum of open.
-- handed:at:<warehouse|sku>: the orders in it. handed:lack:<warehouse|sku>: those of them whose reservation was not seen.
-- handed:short: "warehouse|sku" -> thousandths below zero that Sitoo last showed there while orders of ours were open.
--
-- More cover is staged, and taken over by the writer at the beginning of a round, before it reads Sitoo: so no level is
-- computed from a stock that lacks the reservation and a pending that lacks the order. Less cover counts at once.

local HANDED_KEEP_MS = 90 * DAY_MS

local function handed_get(P, order)
  local text = redis.call('HGET', P .. 'handed', order)
  return text and cjson.decode(text) or nil
end

-- Empty tables are left out: cjson writes an empty object and an empty list alike.
local function handed_set(P, order, h)
  for _, name in ipairs({ 'raw', 'cover', 'staged', 'open' }) do
    if h[name] and next(h[name]) == nil then h[name] = nil end
  end
  redis.call('HSET', P .. 'handed', order, cjson.encode(h))
end

-- An order's units left these places, or its reservation was seen there after all: others there that seem to lack theirs may have had it
-- all along, since what Sitoo has reserved is compared with what all orders of ours should have. A few are looked at again;
-- one of them that has it then brings the next few.
local HANDED_LACK_LOOK = 20

local function handed_left(P, now, fields)
  local touched = false
  for _, field in ipairs(fields) do
    for _, order in ipairs(redis.call('SRANDMEMBER', P .. 'handed:lack:' .. field, HANDED_LACK_LOOK)) do
      mark(P, now, 'handover', order, '', '', '')
      touched = true
    end
  end
  if touched then
    wake(P, 'handover')
  end
end

-- pending:orders and pending:qty of one order from raw and cover; changed SKUs become due. True if anything changed.
-- why: web_order (it holds other units), reserved (its reservation was seen in Sitoo), unreserved (it is gone there).
local function pending_apply(P, now, order, h, why, status, modified)
  local left, rows = {}, {}
  for sku, n in pairs(h.cover or {}) do
    left[sku] = tonumber(n)
  end
  for _, row in ipairs(h.raw or {}) do
    local sku = string.match(row[1], '|(.*)$')
    local take = math.min(left[sku] or 0, tonumber(row[2]))
    left[sku] = (left[sku] or 0) - take
    if tonumber(row[2]) > take then
      rows[#rows + 1] = { row[1], int(tonumber(row[2]) - take) }
    end
  end
  local old_text = redis.call('HGET', P .. 'pending:orders', order)
  if not old_text and #rows == 0 then
    return false
  end
  local old = old_text and cjson.decode(old_text) or { rows = {} }
  status, modified = status or old.status or '0', modified or old.modified or '0'
  if old.status == status and old.modified == modified and #old.rows == #rows then
    local same = true
    for i = 1, #rows do
      same = same and old.rows[i][1] == rows[i][1] and old.rows[i][2] == rows[i][2]
    end
    if same then return false end
  end
  local fields, held = {}, {}
  for _, row in ipairs(old.rows) do
    redis.call('HINCRBY', P .. 'pending:qty', row[1], '-' .. row[2])
    fields[row[1]] = true
    held[row[1]] = (held[row[1]] or 0) - tonumber(row[2])
  end
  for _, row in ipairs(rows) do
    redis.call('HINCRBY', P .. 'pending:qty', row[1], row[2])
    fields[row[1]] = true
    held[row[1]] = (held[row[1]] or 0) + tonumber(row[2])
  end
  local moved = {}
  for field, units in pairs(held) do
    if units ~= 0 then
      moved[#moved + 1] = { tonumber(string.match(field, '^%d+')), string.match(field, '|(.*)$'), units }
    end
  end
  if #moved > 0 then
    ledger_add(P, now, cjson.encode({ type = 'pending', order = order, status = status, why = why, moved = moved }))
  end
  if #rows > 0 then
    redis.call('HSET', P .. 'pending:orders', order, cjson.encode({ status = status, modified = modified, rows = rows }))
  else
    redis.call('HDEL', P .. 'pending:orders', order)
  end
  for field in pairs(fields) do
    if redis.call('HGET', P .. 'pending:qty', field) == '0' then
      redis.call('HDEL', P .. 'pending:qty', field)
    end
    mark(P, now, 'sku', string.match(field, '|(.*)$'), '', 'b', '')
  end
  wake(P, 'sku')
  return true
end

local function whole(text)
  return text ~= nil and text:match('^%-?%d+$') ~= nil
end

-- What is wrong with a call that ends with n rows of `width` arguments from args[first] on, or nil. pattern: per argument of
-- a row, what it looks like. Checked before the first write, which Redis would not roll back.
local function wrong_rows(args, n, first, patterns)
  local width = #patterns
  if not n or not n:match('^%d+$') or #args ~= first - 1 + tonumber(n) * width then
    return 'the number of rows does not fit the rows'
  end
  for i = first, #args do
    if not args[i]:match(patterns[(i - first) % width + 1]) then
      return 'row ' .. math.floor((i - first) / width) + 1 .. ': ' .. args[i] .. ' does not fit'
    end
  end
  return nil
end

local PENDING_ROW = { '^%d+|.', '^%-?%d+$' }
local HANDED_ROW = { '.', '^%d+$', '^%-?%d+$', '^%-?%d+$', '^%-?%d*$' }

-- pending_put(order, status, modified_ms, n, n x (target|sku, thousandths)) -> 1 if anything changed.
-- Replaces what is known of the order; changed SKUs become due, and the order itself for whoever hands it to Sitoo.
-- n = 0: it holds nothing.
register('pending_put', function(P, args)
  local wrong = wrong_rows(args, args[4], 5, PENDING_ROW)
  if wrong or args[1] == '' or not whole(args[2]) or not whole(args[3]) then
    return refuse('pending_put: ' .. (wrong or 'order, status and time of change are wanted'))
  end
  local now, order, n = now_ms(), args[1], tonumber(args[4])
  local h = handed_get(P, order)
  if not h and n == 0 and redis.call('HEXISTS', P .. 'pending:orders', order) == 0 then
    return 0
  end
  h = h or {}
  local raw, units = {}, 0
  for i = 1, n do
    raw[i] = { args[3 + 2 * i], args[4 + 2 * i] }
    units = units + tonumber(args[4 + 2 * i])
  end
  -- A date of modification has seconds only, so what the order holds is looked at as well.
  local seen = args[2] .. ' ' .. args[3] .. ' ' .. int(units)
  if h.seen == seen and cjson.encode(h.raw or {}) == cjson.encode(raw) then
    return 0
  end
  next_token(P) -- the epoch's position, see 95_epoch.lua
  -- BigCommerce lowers its stock by itself, also where Sitoo has the order already: what it shows is read back.
  for _, rows in ipairs({ h.raw or {}, raw }) do
    for _, row in ipairs(rows) do
      mark(P, now, 'sku', string.match(row[1], '|(.*)$'), '', 'b', '')
    end
  end
  wake(P, 'sku')
  h.raw = raw
  if h.seen ~= seen then
    h.seen = seen
    mark(P, now, 'handover', order, '', '', '')
    wake(P, 'handover')
  end
  local changed = pending_apply(P, now, order, h, 'web_order', args[2], args[3])
  handed_set(P, order, h)
  return changed and 1 or 0
end)

-- handed_put(order, done, seen, n, n x (sku, warehouse, open, delivered, reserved or '')) -> per row 1, or 0 if its reservation is
-- not there: what Sitoo has reserved of the SKU in that warehouse (thousandths) is less than all our open orders should
-- have. seen: "status modified_ms thousandths held" of the order that was looked at, so that reading the same in the list makes nobody look
-- again; '' = not known. done = 1: nothing of the order is open in Sitoo any more; it is forgotten after 90 days.
register('handed_put', function(P, args)
  local wrong = wrong_rows(args, args[4], 5, HANDED_ROW)
  if wrong or args[1] == '' or (args[2] ~= '0' and args[2] ~= '1') or
     (args[3] ~= '' and not args[3]:match('^%-?%d+ %-?%d+ %d+$')) then
    return refuse('handed_put: ' .. (wrong or 'order, done as 0 or 1, and what was seen are wanted'))
  end
  local now, order, n = now_ms(), args[1], tonumber(args[4])
  local h = handed_get(P, order) or {}
  local open, cover, where, out, lacked, left = {}, {}, {}, {}, {}, {}
  if args[3] ~= '' then
    h.seen = args[3]
    h.ended = args[3]:match(' 0$') and '1' or nil
  end
  for field, units in pairs(h.open or {}) do
    if redis.call('HINCRBY', P .. 'handed:open', field, int(-tonumber(units))) <= 0 then
      redis.call('HDEL', P .. 'handed:open', field)
    end
    redis.call('SREM', P .. 'handed:at:' .. field, order)
    lacked[field] = redis.call('SREM', P .. 'handed:lack:' .. field, order) == 1
  end
  for i = 1, n do
    local sku, field = args[5 * i], args[5 * i + 1] .. '|' .. args[5 * i]
    local units = tonumber(args[5 * i + 2])
    where[sku] = args[5 * i + 1]
    if units > 0 then
      open[field] = (open[field] or 0) + units
      redis.call('HINCRBY', P .. 'handed:open', field, int(units))
      redis.call('SADD', P .. 'handed:at:' .. field, order)
    end
  end
  for i = 1, n do
    local sku, field = args[5 * i], args[5 * i + 1] .. '|' .. args[5 * i]
    local units, reserved = tonumber(args[5 * i + 2]), tonumber(args[5 * i + 4])
    local total = tonumber(redis.call('HGET', P .. 'handed:open', field) or '') or 0
    local there = units == 0 or (reserved ~= nil and reserved >= total)
    out[i] = there and 1 or 0
    if not there then
      redis.call('SADD', P .. 'handed:lack:' .. field, order)
    elseif lacked[field] then
      left[#left + 1] = field
    end
    cover[sku] = (cover[sku] or 0) + tonumber(args[5 * i + 3]) + (there and units or 0)
  end
  local old, was_open = h.cover or {}, h.open or {}
  h.open, h.cover, h.staged = {}, {}, {}
  for field, units in pairs(open) do
    h.open[field] = int(units)
  end
  local staged, fewer = false, false
  for sku, units in pairs(cover) do
    local was = tonumber(old[sku] or '') or 0
    h.cover[sku] = int(math.min(was, units))
    fewer = fewer or units < was
    if units > was then
      h.staged[sku] = { int(units), where[sku] }
      staged = true
      mark(P, now, 'sku', sku, '', 'w' .. where[sku], '')
    end
  end
  for sku in pairs(old) do
    fewer = fewer or cover[sku] == nil
  end
  if fewer then
    pending_apply(P, now, order, h, 'unreserved')
    -- A reservation may run out without an event: what it held there is read anew, or it would be subtracted twice.
    for field in pairs(was_open) do
      local warehouse, sku = field:match('^(%d+)|(.*)$')
      if (tonumber(h.cover[sku] or '') or 0) < (tonumber(old[sku] or '') or 0) then
        mark(P, now, 'sku', sku, '', 'w' .. warehouse, '')
      end
    end
  end
  redis.call(staged and 'SADD' or 'SREM', P .. 'handed:due', order)
  if args[2] == '1' then
    redis.call('ZADD', P .. 'handed:done', int(now), order)
  else
    redis.call('ZREM', P .. 'handed:done', order)
  end
  handed_set(P, order, h)
  if staged then
    wake(P, 'sku')
  end
  for field, units in pairs(was_open) do
    if (open[field] or 0) < tonumber(units) then
      left[#left + 1] = field
    end
  end
  handed_left(P, now, left)
  return out
end)

-- handed_short(n, n x (warehouse|sku, thousandths available)) -> how many places are remembered as short.
-- A till may sell what was reserved: the orders that wait for it become due, once for each number that Sitoo shows, and again
-- when there is enough.
register('handed_short', function(P, args)
  local wrong = wrong_rows(args, args[1], 2, PENDING_ROW)
  if wrong then
    return refuse('handed_short: ' .. wrong)
  end
  local now, touched = now_ms(), false
  for i = 1, tonumber(args[1]) do
    local field, units = args[2 * i], tonumber(args[1 + 2 * i])
    local old = redis.call('HGET', P .. 'handed:short', field)
    local is = units < 0 and redis.call('EXISTS', P .. 'handed:at:' .. field) == 1 and int(units) or false
    if is ~= old then
      if is then
        redis.call('HSET', P .. 'handed:short', field, is)
      else
        redis.call('HDEL', P .. 'handed:short', field)
      end
      for _, order in ipairs(redis.call('SMEMBERS', P .. 'handed:at:' .. field)) do
        mark(P, now, 'handover', order, '', '', '')
        touched = true
      end
    end
  end
  if touched then
    wake(P, 'handover')
  end
  return redis.call('HLEN', P .. 'handed:short')
end)

-- handed_take(limit) -> how many orders' staged cover was taken over. The writer's, before it reads Sitoo: what is marked here is
-- read there anew.
register('handed_take', function(P, args)
  if not args[1] or not args[1]:match('^%d+$') then
    return refuse('handed_take: a limit is wanted')
  end
  local now, taken = now_ms(), 0
  for _, order in ipairs(redis.call('SRANDMEMBER', P .. 'handed:due', args[1])) do
    local h = handed_get(P, order) or {}
    h.cover = h.cover or {}
    for sku, one in pairs(h.staged or {}) do
      h.cover[sku] = one[1]
      mark(P, now, 'sku', sku, '', 'w' .. one[2], '')
    end
    h.staged = nil
    pending_apply(P, now, order, h, 'reserved')
    handed_set(P, order, h)
    redis.call('SREM', P .. 'handed:due', order)
    taken = taken + 1
  end
  for _, order in ipairs(redis.call('ZRANGEBYSCORE', P .. 'handed:done', '-inf', int(now - HANDED_KEEP_MS), 'LIMIT', 0, 100)) do
    redis.call('ZREM', P .. 'handed:done', order)
    redis.call('HDEL', P .. 'handed', order)
    redis.call('SREM', P .. 'handed:due', order)
  end
  return taken
end)
