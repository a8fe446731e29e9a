-- KEYS: record, index of unresolved records, index of due results (where it has a use).
-- ARGV: version and token that must stand, head, flags,
-- lease, retention, tombstone, body, whether to tell those who wait.
local standing, at, there = load(KEYS[1])
if not standing then
  return {0, false, at}
end
if string.sub(standing, STATE + 1, TOKEN) ~= ARGV[1] then
  return {0, standing, at}
end
local written = write(standing, at, there)
if ARGV[8] == '1' and state(standing) == 'F' and string.sub(ARGV[2], 1, 1) ~= 'F' then
  -- Last, and whatever comes of it: the record is written.
  redis.pcall('PUBLISH', KEYS[1], '')
end
return written
