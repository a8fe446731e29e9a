-- KEYS: acts of one key, index of them, index of all acts of the shard. ARGV: id and phase, the rest of the entry, the key's
-- name. Answers the entry as it stands. The indexes are written again with a repeated entry: whatever ended a script half-way,
-- the repetition ends it.
local standing = redis.call('HGET', KEYS[1], ARGV[1])
if not standing then
  standing = bytes(clock()) .. ARGV[2]
  redis.call('HSET', KEYS[1], ARGV[1], standing)
end
local entry = string.sub(standing, 1, 8) .. ARGV[1]
redis.call('ZADD', KEYS[2], 0, entry)
redis.call('ZADD', KEYS[3], 0, entry .. ARGV[3])
return {standing}
