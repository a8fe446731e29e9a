-- KEYS: record, index of unresolved records, index of due results (where it has a use).
-- ARGV: nothing, head, flags, lease, retention,
-- tombstone, body.
local standing, at, there = load(KEYS[1])
if standing then
  return {0, standing, at}
end
return write(false, at, there)
