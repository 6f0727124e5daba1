-- SPDX-License-Identifier: Apache-2.0
-- Write-ahead intents: stored before a write leaves, closed when its outcome is known. What is open when a
-- writer starts may or may not have been applied.

-- intent_open(id, json, lease name, lease token) -> 1, or -1 if the lease was lost meanwhile (fenced)
register('intent_open', function(P, args)
  if args[3] ~= '' and redis.call('HGET', P .. 'lease:' .. args[3], 'token') ~= args[4] then
    return -1
  end
  redis.call('HSET', P .. 'intents', args[1], args[2])
  if args[1]:sub(1, 7) == 'levels:' then
    redis.call('SET', P .. 'window:sent', int(now_ms())) -- never two writes of levels at once; see 68_windows.lua
  end
  return 1
end)

-- intent_close(id, ledger row or '') -> 1, or 0 if it was closed before; then nothing is recorded. Left out: who closes it
-- did not make the call, or records the outcome by itself.
register('intent_close', function(P, args)
  local was = redis.call('HDEL', P .. 'intents', args[1])
  if was == 1 and args[2] ~= '' then
    ledger_add(P, now_ms(), args[2] or cjson.encode({ type = 'write', id = args[1], outcome = 'known' }))
  end
  return was
end)
