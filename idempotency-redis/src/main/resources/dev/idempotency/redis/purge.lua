-- KEYS: index of due results. ARGV: how many at most. Answers how many were dealt with, and how many more are due.
local tag = string.sub(KEYS[1], 1, string.find(KEYS[1], '}', 1, true)) .. ':'
local now = '(' .. bytes(clock() + 1)
local due = redis.call('ZRANGEBYLEX', KEYS[1], '-', now, 'LIMIT', 0, ARGV[1])
for _, entry in ipairs(due) do
  local own = string.sub(entry, 9)
  local value = redis.call('GET', tag .. own)
  if value and due_entry(value, own) == entry then
    redis.call('SET', tag .. own, without_result(value), 'KEEPTTL')
  end
  redis.call('ZREM', KEYS[1], entry)
end
return {#due, redis.call('ZLEXCOUNT', KEYS[1], '-', now)}
