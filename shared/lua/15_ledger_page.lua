-- SPDX-License-Identifier: Apache-2.0
-- A page of Sitoo's stock ledger: what its rows change, that they were seen, the last row of each SKU and the cursor, in one
-- step. Apart from one another a crash between them would repeat the rows, or take a hole that was found for filled.

local LEDGER_SEEN = 2000 -- beyond the longest overlap behind the cursor (mapping, 1000 ids)

-- ledger_page(cursor or '', n, n row ids, m, m times warehouse, SKU, "id total seen_ms", effects...) -> 1
register('ledger_page', function(P, args)
  local cursor, n = args[1], tonumber(args[2])
  local m = n and tonumber(args[3 + n])
  if not cursor:match('^%d*$') or not m or 3 + n + 3 * m > #args then
    return refuse('ledger_page: cursor or numbers')
  end
  for i = 3, 2 + n do
    if not args[i]:match('^%d+$') then
      return refuse('ledger_page: ' .. args[i] .. ' is no row')
    end
  end
  for i = 4 + n, 3 + n + 3 * m, 3 do
    if not args[i]:match('^%-?%d+$') then
      return refuse('ledger_page: ' .. args[i] .. ' is no warehouse')
    end
  end
  local first = 4 + n + 3 * m
  local wrong = wrong_effects(args, first, #args)
  if wrong then
    return refuse(wrong)
  end
  local now, moved = now_ms(), {}
  apply_effects(P, now, args, first, #args)
  for i = 4 + n, first - 1, 3 do
    redis.call('HSET', P .. 'chain:' .. args[i], args[i + 1], args[i + 2])
    if not moved[args[i]] then
      moved[args[i]] = true
      shop_moved(P, now, args[i])
    end
  end
  for i = 3, 2 + n do
    redis.call('ZADD', P .. 'seen:ledger', args[i], args[i])
  end
  redis.call('ZREMRANGEBYRANK', P .. 'seen:ledger', 0, -LEDGER_SEEN - 1)
  if cursor ~= '' then
    redis.call('HSET', P .. 'cursor', 'ledger', cursor)
  end
  return 1
end)
