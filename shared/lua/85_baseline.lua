-- SPDX-License-Identifier: Apache-2.0
-- The baseline: what was read of both shops, page by page, and its acceptance. Only the process that holds the lease
-- "baseline" stores anything, so a process that was stopped for long and goes on cannot mix its pages into another's.
-- The hash `baseline` holds how far the reading is; what was read lies in the hashes baseline:<name>.

local BASELINE_KEEP_S = 7 * 86400

local function baseline_fenced(P, token)
  return redis.call('HGET', P .. 'lease:baseline', 'token') ~= token
end

-- baseline_put(token, name, n, n x (field, value) of the hash baseline:<name>, then (field, value) of the progress)
-- -> 1, or -1 if the lease was lost. Rows and progress in one step: a page is stored whole, and remembered, or not at all.
register('baseline_put', function(P, args)
  local n = tonumber(args[3])
  if not n or (#args - 3 - 2 * n) % 2 ~= 0 or #args < 3 + 2 * n then
    return refuse('baseline_put is cut short')
  end
  if baseline_fenced(P, args[1]) then
    return -1
  end
  local key = P .. 'baseline:' .. args[2]
  for i = 1, n do
    redis.call('HSET', key, args[2 + 2 * i], args[3 + 2 * i])
  end
  if n > 0 and args[2] ~= 'orders' then -- classes count for as long as their orders are open
    redis.call('EXPIRE', key, BASELINE_KEEP_S)
  end
  for i = 4 + 2 * n, #args, 2 do
    redis.call('HSET', P .. 'baseline', args[i], args[i + 1])
  end
  return 1
end)

-- baseline_drop(token, n, n names of hashes, fields of the progress...) -> 1, or -1 if the lease was lost.
register('baseline_drop', function(P, args)
  local n = tonumber(args[2])
  if not n or #args < 2 + n then
    return refuse('baseline_drop is cut short')
  end
  if baseline_fenced(P, args[1]) then
    return -1
  end
  for i = 3, 2 + n do
    redis.call('UNLINK', P .. 'baseline:' .. args[i])
  end
  for i = 3 + n, #args do
    redis.call('HDEL', P .. 'baseline', args[i])
  end
  return 1
end)

-- baseline_report(token, id, fields and values of the report...) -> 1, or -1. Stamped with Redis's time.
register('baseline_report', function(P, args)
  if (#args - 2) % 2 ~= 0 then
    return refuse('baseline_report is cut short')
  end
  if baseline_fenced(P, args[1]) then
    return -1
  end
  redis.call('HSET', P .. 'baseline', 'report', args[2], 'report_ms', int(now_ms()))
  for i = 3, #args, 2 do
    redis.call('HSET', P .. 'baseline', args[i], args[i + 1])
  end
  return 1
end)

-- baseline_accept(token, id, mapping, max_age_ms) -> 'accepted', 'already', or why not: 'lease', 'none', 'other', 'stale',
-- 'mapping', 'unclassed'. The age is that of the reading, not of the printing. The differences become what the brake lets
-- pass, for a day.
register('baseline_accept', function(P, args)
  local f = redis.call('HMGET', P .. 'baseline', 'report', 'read_ms', 'mapping', 'unclassed', 'accepted', 'differences')
  local now = now_ms()
  if f[5] and f[5] == args[2] then return 'already' end
  if baseline_fenced(P, args[1]) then return 'lease' end
  if not f[1] or f[1] == '' then return 'none' end
  if f[1] ~= args[2] then return 'other' end
  if now - (tonumber(f[2] or '') or 0) > tonumber(args[4]) then return 'stale' end
  if f[3] ~= args[3] then return 'mapping' end
  if f[4] ~= '0' then return 'unclassed' end
  redis.call('UNLINK', P .. 'baseline:allow')
  if redis.call('EXISTS', P .. 'baseline:diff') == 1 then
    redis.call('COPY', P .. 'baseline:diff', P .. 'baseline:allow')
    redis.call('PERSIST', P .. 'baseline:allow')
  end
  redis.call('PERSIST', P .. 'baseline:rows')
  redis.call('HSET', P .. 'baseline', 'accepted', args[2], 'accepted_ms', int(now))
  ledger_add(P, now, cjson.encode({ type = 'baseline', id = args[2], differences = f[6] or '0' }))
  wake(P, 'sku')
  return 'accepted'
end)

-- baseline_begun(id): the writer has taken the accepted baseline over.
register('baseline_begun', function(P, args)
  redis.call('HSET', P .. 'baseline', 'begun', args[1])
  redis.call('UNLINK', P .. 'baseline:rows')
  redis.call('EXPIRE', P .. 'baseline:allow', 86400)
  return 1
end)
