-- KEYS: live, claimed, received, dead. Answers how many are ready, live, claimed and dead, the time, and when the oldest arrived.
local at = clock()
local now = exactly(at)
local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return {redis.call('ZCOUNT', KEYS[1], '-inf', now), redis.call('ZCARD', KEYS[1]),
  redis.call('ZCOUNT', KEYS[2], '(' .. now, '+inf'), redis.call('ZCARD', KEYS[4]), at, oldest[2] or now}
