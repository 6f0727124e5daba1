-- SPDX-License-Identifier: Apache-2.0
-- The version of what the keys mean (shared/schema.h).

-- schema(version, release) -> { stored version, release that raised it }; raised to version if it is lower, never lowered.
register('schema', function(P, args)
  local key, version = P .. 'schema', tonumber(args[1])
  if not version or version < 1 or version ~= math.floor(version) then
    return refuse('schema: ' .. tostring(args[1]) .. ' is no version')
  end
  local stored = tonumber(redis.call('HGET', key, 'version') or '') or 0
  if stored < version then
    redis.call('HSET', key, 'version', int(version), 'release', args[2] or '', 'since_ms', int(now_ms()))
    stored = version
  end
  return { stored, redis.call('HGET', key, 'release') or '' }
end)
