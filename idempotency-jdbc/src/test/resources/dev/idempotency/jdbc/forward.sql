ALTER TABLE "${schema}"."${table}" ADD COLUMN added_in_2 text;
COMMENT ON TABLE "${schema}"."${table}" IS 'idempotency records, schema version 2';
