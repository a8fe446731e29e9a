-- KEYS: index of unresolved records. ARGV: where to begin, how many at most. Answers entry, record, entry, record ...
local tag = string.sub(KEYS[1], 1, string.find(KEYS[1], '}', 1, true)) .. ':'
local page = {}
for _, entry in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  page[#page + 1] = entry
  page[#page + 1] = redis.call('GET', tag .. string.sub(entry, 9))
end
return page
