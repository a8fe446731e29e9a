-- KEYS: live, claimed. ARGV: what the names of messages begin with, lease, tokens. Answers value, payload and attributes, token,
-- attempts, received, reason, time ... for each message that was claimed. What the index has and no message is behind is dropped.
local at = clock()
local lapse = exactly(at + ARGV[2])
local used = 2
local claims = {}
for _, value in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', exactly(at), 'LIMIT', 0, #ARGV - 2)) do
  local key = ARGV[1] .. value
  local message = redis.call('HMGET', key, 's', 'b', 'n', 'r', 'y')
  if message[1] == 'W' or message[1] == 'C' then
    used = used + 1
    redis.call('ZADD', KEYS[1], lapse, value)
    redis.call('ZADD', KEYS[2], lapse, value)
    redis.call('HSET', key, 's', 'C', 't', ARGV[used], 'n', message[3] + 1)
    for _, part in ipairs({value, message[2], ARGV[used], message[3] + 1, message[4], message[5], at}) do
      claims[#claims + 1] = part
    end
  else
    redis.call('ZREM', KEYS[1], value)
    redis.call('ZREM', KEYS[2], value)
  end
end
return claims
