CREATE TABLE accounts (
    id serial PRIMARY KEY,
    owner text NOT NULL,
    balance bigint NOT NULL DEFAULT 0 CHECK (balance >= 0),
    CONSTRAINT accounts_known CHECK (id > 0)
);
CREATE INDEX accounts_owner_idx ON accounts (owner, id) WHERE balance > 0;
CREATE TABLE payments (
    id bigserial PRIMARY KEY,
    account integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
    amount bigint NOT NULL
);
GRANT SELECT (id, owner) ON accounts TO PUBLIC;
COMMENT ON COLUMN accounts.id IS 'the account''s number';
INSERT INTO accounts (owner) SELECT 'owner ' || i FROM generate_series(1, 10000) i;
INSERT INTO payments (account, amount) SELECT i, i FROM generate_series(1, 10000) i;
ANALYZE accounts, payments;
