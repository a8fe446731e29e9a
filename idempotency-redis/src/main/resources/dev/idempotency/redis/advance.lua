-- KEYS: version. ARGV: version, as bytes that sort like it; retention. Answers 2 when it is newer, 1 when it stands, 0 when it is
-- stale. A retention of 0 only compares. A version is stored as 8 bytes time of its end, then itself.
local function greater(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then
      return a > b
    end
  end
  return #one > #other
end

local at = clock()
local standing = redis.call('GET', KEYS[1])
if standing and at < number(standing, 1) then
  local version = string.sub(standing, 9)
  if version == ARGV[1] then
    return {1}
  end
  if not greater(ARGV[1], version) then
    return {0}
  end
end
if tonumber(ARGV[2]) == 0 then
  return {2}
end
redis.call('SET', KEYS[1], bytes(at + ARGV[2]) .. ARGV[1], 'PX', exactly(math.ceil(ARGV[2] / 1000) + 1))
return {2}
