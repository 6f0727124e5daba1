-- SPDX-License-Identifier: Apache-2.0
-- Who may spend the calls that a platform grants. Every call is made for a class: stock, orders, refunds or rest, with the
-- weights of the mapping file (60, 25, 10 and 5 in a hundred). The rule for a quota per window (BigCommerce):
--
-- 1. What counts is what the platform says is left, less the reserve for other apps. No class ever gets more than that.
-- 2. Each class owns its share of the window, in whole calls. What rounding takes from a class is carried into later windows,
--    so that even a share below one call comes round.
-- 3. A class may always spend what it still owns. What it owns shrinks with the window: half-way through it owns no more than
--    half of its share. It cannot save up calls that others could use.
-- 4. Beyond that it may spend whatever is left, less what classes with demand still own. A class has demand if it asked
--    within the length of a window (1 to 30 s), or was told to come back later than now. So a class alone has it all.
-- 5. If less is left than the classes with demand own (another app was faster, the quota shrank, a class woke up late), each
--    of them gives up the same part.
--
-- For calls that go one at a time (a Sitoo key; BigCommerce before its first headers): of the classes that are waiting, the
-- one that had least for its weight is next (start-time fair queuing). A class that waits asks again and again; one that did
-- not for 300 ms is forgotten, and whoever asks for a free slot while nobody waits gets it.
--
-- A weight of 0 owns nothing: it gets what others leave.

local CLASSES = { 'stock', 'orders', 'refunds', 'rest' }
local CLASS_NUMBER = { stock = 1, orders = 2, refunds = 3, rest = 4 }
local REMEMBERED_MS = 300 -- how long somebody who waits for a slot is remembered; they ask every 5 to 25 ms

-- The class's number (unknown: rest) and the four weights from "60 25 10 5" (unreadable: these).
local function class_and_weights(name, text)
  local weights = {}
  for n in (text or ''):gmatch('%d+') do
    weights[#weights + 1] = tonumber(n)
  end
  if #weights ~= #CLASSES or weights[1] + weights[2] + weights[3] + weights[4] == 0 then
    weights = { 60, 25, 10, 5 }
  end
  return CLASS_NUMBER[name] or #CLASSES, weights
end

-- Splits total, a whole number, in proportion to parts, into whole numbers. carry (changed) says what rounding owes to each;
-- whoever is owed most gets the odd calls.
local function apportion(total, parts, carry)
  local sum, out, odd, left = 0, { 0, 0, 0, 0 }, {}, total
  for e = 1, #CLASSES do
    sum = sum + parts[e]
  end
  if sum <= 0 or total <= 0 then
    return out
  end
  for e = 1, #CLASSES do
    local exact = total * parts[e] / sum
    out[e] = math.floor(exact + 1e-9)
    odd[e] = exact - out[e] > 1e-6
    carry[e] = carry[e] + exact - out[e]
    left = left - out[e]
  end
  for _ = 1, left do
    local best
    for e = 1, #CLASSES do
      if odd[e] and (not best or carry[e] > carry[best]) then
        best = e
      end
    end
    if not best then
      break
    end
    out[best], odd[best], carry[best] = out[best] + 1, false, carry[best] - 1
  end
  for e = 1, #CLASSES do
    carry[e] = math.max(-1, math.min(1, carry[e]))
  end
  return out
end

-- The classes' state in a window, from its text: per class share, spent (of the share), used (in all), asked (demand until),
-- carry. fresh: a new window begins, of which `budget` calls are ours.
local function shares_read(text, fresh, budget, weights)
  local b, i = { share = {}, spent = {}, used = {}, asked = {}, carry = {} }, 0
  local values = {}
  for n in (text or ''):gmatch('%S+') do
    values[#values + 1] = tonumber(n) or 0
  end
  for e = 1, #CLASSES do
    b.share[e], b.spent[e], b.used[e] = values[i + 1] or 0, values[i + 2] or 0, values[i + 3] or 0
    b.asked[e], b.carry[e] = values[i + 4] or 0, values[i + 5] or 0
    i = i + 5
  end
  if fresh or #values ~= 5 * #CLASSES then
    b.share, b.spent, b.used = apportion(math.max(0, budget), weights, b.carry), { 0, 0, 0, 0 }, { 0, 0, 0, 0 }
  end
  return b
end

local function shares_text(b)
  local out = {}
  for e = 1, #CLASSES do
    out[e] = string.format('%.0f %.0f %.0f %.0f %.3f', b.share[e], b.spent[e], b.used[e], b.asked[e], b.carry[e])
  end
  return table.concat(out, ' ')
end

-- What the other classes with demand still own, after rules 3 and 5. left: calls that we may still spend in the window;
-- part: how much of the window is still to come, 0 to 1.
local function owned_by_others(b, class, now, left, part)
  local owned, sum = { 0, 0, 0, 0 }, 0
  for e = 1, #CLASSES do
    b.spent[e] = math.max(b.spent[e], b.share[e] - math.floor(b.share[e] * part + 0.5))
    if e == class or b.asked[e] > now then
      owned[e] = b.share[e] - b.spent[e]
      sum = sum + owned[e]
    end
  end
  if sum > left then
    local fitted = apportion(math.max(0, left), owned, b.carry)
    for e = 1, #CLASSES do
      b.spent[e] = b.spent[e] + owned[e] - fitted[e]
    end
    owned, sum = fitted, math.max(0, left)
  end
  return sum - owned[class]
end

-- When to ask again after being refused for the sake of others: when one of them owns a call less, or may have lost its demand.
local function wait_for_others(b, class, now, reset, window)
  local shares, wait = 0, reset - now
  for e = 1, #CLASSES do
    if e ~= class and b.asked[e] > now then
      shares = shares + b.share[e]
      wait = math.min(wait, b.asked[e] - now)
    end
  end
  return math.max(50, math.ceil(math.min(wait, window / math.max(1, shares))))
end

local function demand_ms(window)
  return math.max(1000, math.min(30000, window))
end

-- ---- slots ----

-- For whoever asks for a free slot: how many waiting classes are before it, and the state that the two below take.
local function turn(P, platform, class, now, weights)
  local t = { key = P .. 'fair:' .. platform, class = class, weight = weights[class], platform = platform }
  local f = redis.call('HMGET', t.key, 'v', 'f1', 'f2', 'f3', 'f4', 'w1', 'w2', 'w3', 'w4')
  local v = tonumber(f[1] or '') or 0
  t.start, t.waits = math.max(v, tonumber(f[1 + class] or '') or 0), tonumber(f[5 + class] or '') or 0
  t.ahead = 0
  for e = 1, #CLASSES do
    if e ~= class and (tonumber(f[5 + e] or '') or 0) > now then
      local start = math.max(v, tonumber(f[1 + e] or '') or 0)
      if start < t.start or (start == t.start and e < class) then
        t.ahead = t.ahead + 1
      end
    end
  end
  return t
end

local function turn_taken(t)
  redis.call('HSET', t.key, 'v', int(t.start), 'f' .. t.class, int(t.start + 1e6 / math.max(0.1, t.weight)), 'w' .. t.class, '0')
end

-- Remembers who waits; written seldom, since each write is synced to disk. Counts once per wait.
local function turn_waits(P, t, now)
  if t.waits <= now then
    count(P, 'waits:' .. t.platform .. ':' .. CLASSES[t.class], 1)
  end
  if t.waits - now < REMEMBERED_MS / 3 then
    redis.call('HSET', t.key, 'w' .. t.class, int(now + REMEMBERED_MS))
  end
end

local function count_call(P, platform, class, n)
  count(P, 'calls:' .. platform, n)
  count(P, 'calls:' .. platform .. ':' .. CLASSES[class], n)
end
