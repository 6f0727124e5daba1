-- SPDX-License-Identifier: Apache-2.0
-- Pending: rows of web orders that hold stock and whose reservation was not seen in Sitoo.
-- pending:orders: order -> JSON { status, modified, rows = { { "target|sku", thousandths }... } }
-- pending:qty: "target|sku" -> thousandths, the sum over orders; target is a warehouse, or 0 for rows that no
-- warehouse was chosen for.

-- pending_put(order, status, modified_ms, n, n x (target|sku, thousandths)) -> 1 if anything changed.
-- Replaces what is known of the order; changed SKUs become due. n = 0 takes the order out.
register('pending_put', function(P, args)
  local now, order, n = now_ms(), args[1], tonumber(args[4])
  local old_text = redis.call('HGET', P .. 'pending:orders', order)
  if not old_text and n == 0 then
    return 0
  end
  local old = old_text and cjson.decode(old_text) or { rows = {} }
  if old.status == args[2] and old.modified == args[3] and #old.rows == n then
    local same = true
    for i = 1, n do
      same = same and old.rows[i][1] == args[3 + 2 * i] and old.rows[i][2] == args[4 + 2 * i]
    end
    if same then return 0 end
  end
  local fields = {}
  next_token(P) -- the epoch's position, see 95_epoch.lua
  for _, row in ipairs(old.rows) do
    redis.call('HINCRBY', P .. 'pending:qty', row[1], '-' .. row[2])
    fields[row[1]] = true
  end
  local rows = {}
  for i = 1, n do
    local field, thousandths = args[3 + 2 * i], args[4 + 2 * i]
    redis.call('HINCRBY', P .. 'pending:qty', field, thousandths)
    fields[field] = true
    rows[i] = { field, thousandths }
  end
  if n > 0 then
    redis.call('HSET', P .. 'pending:orders', order, cjson.encode({ status = args[2], modified = args[3], rows = rows }))
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
  return 1
end)
