-- KEYS: message, live, claimed, received, dead. ARGV: what to do (R renew, or the stage that follows), token, span, reason, value.
-- Answers 1 when it was done, now or before.
local message = redis.call('HMGET', KEYS[1], 's', 't', 'e')
if message[2] ~= ARGV[2] then
  return {0}
end
if message[1] ~= 'C' then
  return {message[1] == ARGV[1] and 1 or 0}
end
local act, value, at = ARGV[1], ARGV[5], clock()
if act == 'R' then
  redis.call('ZADD', KEYS[2], exactly(at + ARGV[3]), value)
  redis.call('ZADD', KEYS[3], exactly(at + ARGV[3]), value)
  return {1}
end
if act == 'W' then
  redis.call('ZADD', KEYS[2], exactly(at + ARGV[3]), value)
  redis.call('HSET', KEYS[1], 's', 'W', 'y', ARGV[4])
  redis.call('ZREM', KEYS[3], value)
  return {1}
end
if act == 'D' then
  redis.call('ZADD', KEYS[5], 0, bytes(at) .. value)
  redis.call('HSET', KEYS[1], 's', 'D', 'y', ARGV[4], 'd', exactly(at))
else
  finish(KEYS[1], tonumber(message[3]), at)
end
redis.call('ZREM', KEYS[2], value)
redis.call('ZREM', KEYS[3], value)
redis.call('ZREM', KEYS[4], value)
return {1}
