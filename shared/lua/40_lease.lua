-- SPDX-License-Identifier: Apache-2.0
-- Named leases: who may write to the store ("writer"), who may use an API key.

-- lease(name, holder, ttl_ms) -> { 1, token } if it is ours now (taken, or kept by its holder), else { 0, wait_ms }
register('lease', function(P, args)
  local key, holder, ttl = P .. 'lease:' .. args[1], args[2], args[3]
  local f = redis.call('HMGET', key, 'holder', 'token')
  if f[1] and f[1] ~= holder then
    return { 0, math.max(1, redis.call('PTTL', key)) }
  end
  local token = f[2] or next_token(P)
  redis.call('HSET', key, 'holder', holder, 'token', token)
  redis.call('PEXPIRE', key, ttl)
  return { 1, tonumber(token) }
end)

-- unlease(name, token): gives it back if it is still ours.
register('unlease', function(P, args)
  local key = P .. 'lease:' .. args[1]
  if redis.call('HGET', key, 'token') ~= args[2] then
    return 0
  end
  return redis.call('DEL', key)
end)
