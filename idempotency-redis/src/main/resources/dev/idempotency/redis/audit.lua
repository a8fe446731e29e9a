-- KEYS: an index of acts. ARGV: where to begin, how many at most, the key's name; without it each entry of the index ends with
-- one. Answers entry, act, entry, act ... newest first.
local tag = string.sub(KEYS[1], 1, string.find(KEYS[1], '}', 1, true)) .. ':act:'
local page = {}
for _, entry in ipairs(redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[1], '-', 'LIMIT', 0, ARGV[2])) do
  local name = ARGV[3] == '' and string.sub(entry, 26) or ARGV[3]
  page[#page + 1] = entry
  page[#page + 1] = redis.call('HGET', tag .. name, string.sub(entry, 9, 25))
end
return page
