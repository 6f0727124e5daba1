-- SPDX-License-Identifier: Apache-2.0
-- Units that are withheld although no entry speaks of them: a return whose order nobody has seen, or not judged yet.

-- withheld_unjudged(side, cursor) -> { next cursor, { warehouse|sku, thousandths... } }: a part of all, in Redis' order; a
-- place may come twice. Side l first, then r, which leaves out what l has named.
register('withheld_unjudged', function(P, args)
  local page = redis.call('HSCAN', P .. 'withheld:' .. args[1], args[2], 'COUNT', 500)
  local out = {}
  for i = 1, #page[2], 2 do
    local field, units = page[2][i], tonumber(page[2][i + 1]) or 0
    local before = args[1] == 'r' and tonumber(redis.call('HGET', P .. 'withheld:l', field) or '') or 0
    if units > 0 and before <= 0 then
      local _, unjudged = withheld_there(P, field)
      if unjudged > 0 then
        out[#out + 1] = field
        out[#out + 1] = int(unjudged)
      end
    end
  end
  return { page[1], out }
end)
