-- What all scripts share: how a record is laid out, and how it is read and written. Prepended to each of them.
--
-- A record is one string: 1 byte format, 1 state, 8 version, 16 attempt token, then seven times of 8 bytes (created,
-- first sent, state since, lease until or 0, expires, forget, last written: microseconds, big-endian), 4 bytes length of
-- the rest, the rest, and after it the result, if there is one. Only Java reads the rest and the result.
local FORMAT, STATE, TOKEN = 1, 2, 26
local CREATED, SENT, SINCE, LEASE, EXPIRES, FORGET, WRITTEN, LENGTH, REST = 27, 35, 43, 51, 59, 67, 75, 83, 87

local YES = string.byte('1')

local function number(value, at)
  return (struct.unpack('>I8', value, at))
end

local function bytes(number)
  return struct.pack('>I8', number)
end

local function state(value)
  return string.sub(value, STATE, STATE)
end

local function unresolved(value)
  return state(value) == 'F' or state(value) == 'D'
end

local function without_result(value)
  return string.sub(value, 1, REST - 1 + struct.unpack('>I4', value, LENGTH))
end

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- The part of a record's name that tells it from others of its shard.
local function name(key)
  return string.sub(key, string.find(key, '}', 1, true) + 2)
end

-- Where the record stands in the index of unresolved ones: by the time of its state, then by name.
local function unresolved_entry(value, name)
  return unresolved(value) and string.sub(value, SINCE, SINCE + 7) .. name
end

-- Where the record stands in the index of results that a purge drops and a tombstone outlives.
local function due_entry(value, name)
  return not unresolved(value) and number(value, FORGET) > number(value, EXPIRES)
    and REST - 1 + struct.unpack('>I4', value, LENGTH) < #value and string.sub(value, EXPIRES, EXPIRES + 7) .. name
end

-- What stands for a key, the time of this step, and what is there although it does not stand any more. The time is
-- never before the record's last write, whatever became of the server's clock.
local function load(key)
  local value = redis.call('GET', key)
  local at = clock()
  if not value then
    return false, at, false
  end
  if string.byte(value, FORMAT) ~= 1 then
    error({err = 'IDEMPOTENCYFORMAT the record is of a format that this version does not know'})
  end
  at = math.max(at, number(value, WRITTEN))
  if not unresolved(value) and at >= number(value, FORGET) then
    return false, at, value
  end
  return value, at, value
end

-- Writes ARGV[2..7] over what stands, as Write.at says. The index of due results is a key of its own only where a tombstone is
-- known of: while a slot moves, a Cluster runs no script with a key that does not exist. The index is written before the record and cleaned after it:
-- whatever ends a script half-way, no unresolved record is missing from the list.
local function write(standing, at, there)
  local key, unresolved_index = KEYS[1], KEYS[2]
  local due_index = KEYS[3] or string.sub(key, 1, string.find(key, '}', 1, true)) .. ':due'
  local head, flags, lease, retention, tombstone, body = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
  local created, sent, since, lease_until, expires, forget = 0, 0, 0, 0, 0, 0
  if standing then
    created, sent, since, lease_until, expires, forget = struct.unpack('>I8I8I8I8I8I8', standing, CREATED)
  end
  local is_created, is_sent, is_new_state = string.byte(flags, 1, 3)
  is_created = is_created == YES
  if is_created then
    created = at
  end
  if is_sent == YES then
    sent = at
  end
  if is_new_state == YES then
    since = at
  end
  local next_state = string.sub(head, 1, 1)
  local is_unresolved = next_state == 'F' or next_state == 'D'
  if lease ~= '' and is_unresolved then
    lease_until = at + lease
  elseif next_state ~= 'F' then
    lease_until = 0
  end
  if retention ~= '' then
    local wanted = at + retention
    if is_created or wanted > expires then
      expires = wanted
    end
    forget = expires + tombstone
  end
  local times = struct.pack('>I8I8I8I8I8I8I8', created, sent, since, lease_until, expires, forget, at)
  local value = '\1' .. head .. times .. body

  local own = name(key)
  local unresolved_before = there and unresolved_entry(there, own)
  local unresolved_after = unresolved_entry(value, own)
  local due_before = there and due_entry(there, own)
  local due_after = due_entry(value, own)
  if unresolved_after and unresolved_after ~= unresolved_before then
    redis.call('ZADD', unresolved_index, 0, unresolved_after)
  end
  if due_after and due_after ~= due_before then
    redis.call('ZADD', due_index, 0, due_after)
  end
  if is_unresolved then
    redis.call('SET', key, value)
  else
    redis.call('SET', key, value, 'PX', string.format('%.0f', math.max(1, math.ceil((forget - at) / 1000))))
  end
  if unresolved_before and unresolved_before ~= unresolved_after then
    redis.call('ZREM', unresolved_index, unresolved_before)
  end
  if due_before and due_before ~= due_after then
    redis.call('ZREM', due_index, due_before)
  end
  return {1, times, at}
end
