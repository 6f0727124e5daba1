-- SPDX-License-Identifier: Apache-2.0
-- The ledger's keeping: how long, and what was exported. Entries are written by ledger_add (00_common.lua).

-- ledger_keep(days): entries are kept that long. If it was shorter before, what is gone already may be younger than that; cut_ms
-- says so to whoever looks for missing entries.
register('ledger_keep', function(P, args)
  local days = tonumber(args[1])
  if not days or days < 1 or days > 3650 or days ~= math.floor(days) then
    return refuse('ledger_keep: 1 to 3650 days')
  end
  local key, now = P .. 'ledger:chain', now_ms()
  local was = tonumber(redis.call('HGET', key, 'days') or '') or LEDGER_KEEP_MS / DAY_MS
  if days > was then
    local cut = math.max(tonumber(redis.call('HGET', key, 'cut_ms') or '') or 0, now - was * DAY_MS)
    redis.call('HSET', key, 'cut_ms', int(cut))
  end
  redis.call('HSET', key, 'days', int(days))
  return 1
end)

-- ledger_exported(last id before or '', last id, n, hash, file, its SHA-256) -> 1, or 0 if somebody else exported meanwhile
register('ledger_exported', function(P, args)
  local key = P .. 'ledger:export'
  if (redis.call('HGET', key, 'id') or '') ~= args[1] then
    return 0
  end
  redis.call('HSET', key, 'id', args[2], 'n', args[3], 'head', args[4], 'file', args[5], 'sha256', args[6], 'at_ms', int(now_ms()))
  return 1
end)
