-- migrate:up
ALTER TABLE accounts ALTER COLUMN id TYPE bigint;

-- migrate:down
ALTER TABLE accounts ALTER COLUMN id TYPE integer;
