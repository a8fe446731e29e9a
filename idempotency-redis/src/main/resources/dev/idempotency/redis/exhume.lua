-- KEYS: message, live, received, dead. ARGV: the stage that follows (W or X), value. Answers 1 when it was a dead letter.
local message = redis.call('HMGET', KEYS[1], 's', 'e', 'd', 'r')
if message[1] ~= 'D' then
  return {0}
end
local at = clock()
redis.call('HDEL', KEYS[1], 't')
if ARGV[1] == 'W' then
  redis.call('ZADD', KEYS[2], exactly(at), ARGV[2])
  redis.call('ZADD', KEYS[3], message[4], ARGV[2])
  redis.call('HDEL', KEYS[1], 'y', 'd')
  redis.call('HSET', KEYS[1], 's', 'W', 'n', 0)
else
  finish(KEYS[1], tonumber(message[2]), at)
end
redis.call('ZREM', KEYS[4], bytes(tonumber(message[3])) .. ARGV[2])
return {1}
