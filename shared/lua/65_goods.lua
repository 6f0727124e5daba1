-- SPDX-License-Identifier: Apache-2.0
-- Goods of a web order refunded in BigCommerce that a person had booked into Sitoo.

local GOODS_KEEP_S = 400 * 86400 -- beyond the longest time that goods may take to come back (mapping, 365 days)

-- goods_book(order, transaction, "thousandths sku", intent or '', json): Sitoo's transaction is recorded once, its intent
-- ends, and the order's refunds are looked at again. Returns 1 if it is new.
register('goods_book', function(P, args)
  local order, transaction, row, intent = args[1], args[2], args[3], args[4]
  if not order:match('^%d+$') or not transaction:match('^%d+$') or not row:match('^%d+ .') then
    return refuse('goods_book: order, transaction or row')
  end
  local now, key = now_ms(), P .. 'goods:' .. order
  local fresh = redis.call('HSETNX', key, transaction, row)
  redis.call('EXPIRE', key, GOODS_KEEP_S)
  if fresh == 1 then
    next_token(P) -- the epoch's position, see 95_epoch.lua
    ledger_add(P, now, args[5])
  end
  if intent ~= '' then
    redis.call('HDEL', P .. 'intents', intent)
  end
  mark(P, now, 'refund', order, '', '', '')
  wake(P, 'refund')
  return fresh
end)
