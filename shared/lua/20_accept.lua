-- SPDX-License-Identifier: Apache-2.0
-- accept(source or "source path", n, then per event: id, bytes, again, k, k effect arguments...)
-- Stores a batch, all or nothing: journal entry with the bytes as received, idempotency key, effects.
-- The key only prevents a second journal entry; again = 1 applies the effects for a duplicate as well
-- (BigCommerce's hash may repeat for two real changes). Returns { new, duplicates }.
local function wrong_batch(args, n)
  local i = 3
  for _ = 1, n or 0 do
    local k = tonumber(args[i + 3])
    if not k or i + 3 + k > #args then
      return 'the batch is cut short'
    end
    local wrong = wrong_effects(args, i + 4, i + 3 + k)
    if wrong then
      return wrong
    end
    i = i + 4 + k
  end
  return not n and 'no number of events' or i ~= #args + 1 and 'more than the events announced' or nil
end

register('accept', function(P, args)
  local wrong = wrong_batch(args, tonumber(args[2]))
  if wrong then
    return refuse(wrong)
  end
  local now = now_ms()
  local source, path = args[1]:match('^(%S+) ?(.*)$')
  local n = tonumber(args[2])
  if not source then
    return refuse('no source')
  end
  if redis.call('ZCARD', P .. 'due:order') > BACKLOG_MAX then
    return redis.error_reply('BACKLOG too many orders are due; nothing was stored')
  end
  local new, dup, i = 0, 0, 3
  for _ = 1, n do
    local id, bytes, again, k = args[i], args[i + 1], args[i + 2], tonumber(args[i + 3])
    local fresh = id == ''
      or redis.call('SET', P .. 'idem:' .. source .. ':' .. id, '1', 'NX', 'EX', IDEM_KEEP_S) ~= false
    if fresh then
      new = new + 1
      local entry = { 'source', source, 'id', id, 'bytes', bytes }
      if path ~= '' then
        entry[7], entry[8] = 'path', path
      end
      redis.call('XADD', P .. 'journal', 'MINID', '~', int(now - JOURNAL_KEEP_MS), '*', unpack(entry))
    else
      dup = dup + 1
    end
    if fresh or again == '1' then
      apply_effects(P, now, args, i + 4, i + 3 + k)
    end
    i = i + 4 + k
  end
  answered(P, now, source)
  count(P, 'accepted:' .. source, new)
  if dup > 0 then
    count(P, 'duplicate:' .. source, dup)
  end
  return { new, dup }
end)
