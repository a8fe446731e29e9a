-- What the scripts of the inbox share. A message is one hash: s stage (W waiting, C claimed, D dead, X done), b payload and
-- attributes, t token, n attempts, r received, e expires, d buried, y reason; times in microseconds. Of each queue a shard has four
-- sorted sets: live (score: when it can be claimed), claimed (score: end of the lease), received (score: when), and dead (by
-- bytes: the time of burial, then the value). An index is written before the message and cleaned after it.
local function exactly(number)
  return string.format('%.0f', number)
end

-- Payload and reason go, the key stays for the rest of its retention. Nothing but this gives a message a time to live.
local function finish(key, expires, at)
  if at >= expires then
    redis.call('DEL', key)
  else
    redis.call('HDEL', key, 'b', 'y', 'd')
    redis.call('HSET', key, 's', 'X')
    redis.call('PEXPIRE', key, exactly(math.ceil((expires - at) / 1000) + 1))
  end
end
