-- KEYS: live. ARGV: how many at most. Answers since when messages are due, longest first.
local since = {}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', exactly(clock()), 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for i = 2, #due, 2 do
  since[#since + 1] = due[i]
end
return since
