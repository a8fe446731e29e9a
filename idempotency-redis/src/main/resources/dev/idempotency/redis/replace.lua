-- KEYS: record, index of unresolved records, index of due results. ARGV: version and token that must stand, head, flags,
-- lease, retention, tombstone, body, channel to tell that the attempt has ended (or nothing).
local standing, at, there = load(KEYS[1])
if not standing then
  return {0, false, at}
end
if string.sub(standing, STATE + 1, TOKEN) ~= ARGV[1] then
  return {0, standing, at}
end
return write(standing, at, there)
