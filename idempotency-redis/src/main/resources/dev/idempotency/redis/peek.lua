-- KEYS: record. What find does, on a master that takes no writes at present. A replica would run this step too: it says no.
if not string.find(redis.call('INFO', 'replication'), 'role:master', 1, true) then
  error({err = 'READONLY a replica does not say what stands'})
end
local standing, at = load(KEYS[1])
return {0, standing, at}
