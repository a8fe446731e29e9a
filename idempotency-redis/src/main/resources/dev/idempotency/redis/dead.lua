-- KEYS: dead. ARGV: what the names of messages begin with, where to begin, how many at most. Answers time and value, payload and
-- attributes, attempts, received, reason ... longest dead first.
local letters = {}
for _, entry in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], '+', 'LIMIT', 0, ARGV[3])) do
  local message = redis.call('HMGET', ARGV[1] .. string.sub(entry, 9), 'b', 'n', 'r', 'y')
  for _, part in ipairs({entry, message[1], message[2], message[3], message[4]}) do
    letters[#letters + 1] = part
  end
end
return letters
