-- KEYS: record.
local standing, at = load(KEYS[1])
return {0, standing, at}
