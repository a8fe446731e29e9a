-- KEYS: index of unresolved records. ARGV: where to begin, how many at most, how many bytes of records at most. Answers entry,
-- record, entry, record ... A record that is too large for what is left, and each that follows, is not sent: 0 is in its place.
local tag = string.sub(KEYS[1], 1, string.find(KEYS[1], '}', 1, true)) .. ':'
local left = tonumber(ARGV[3])
local page = {}
for _, entry in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  local value = 0
  if left >= 0 then
    value = redis.call('GET', tag .. string.sub(entry, 9))
    left = left - (value and #value or 0)
  end
  page[#page + 1] = entry
  page[#page + 1] = left >= 0 and value or (value and 0)
end
return page
