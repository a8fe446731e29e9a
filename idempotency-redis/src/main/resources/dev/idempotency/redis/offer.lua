-- KEYS: message, live, received. ARGV: value, payload and attributes, retention. Answers 1 when it was accepted.
local at = clock()
local standing = redis.call('HMGET', KEYS[1], 's', 'e')
if standing[1] then
  if standing[1] ~= 'X' or at < tonumber(standing[2]) then
    return {0}
  end
  redis.call('DEL', KEYS[1])
end
redis.call('ZADD', KEYS[2], exactly(at), ARGV[1])
redis.call('ZADD', KEYS[3], exactly(at), ARGV[1])
redis.call('HSET', KEYS[1], 's', 'W', 'b', ARGV[2], 'n', 0, 'r', exactly(at), 'e', exactly(at + ARGV[3]))
return {1}
