CREATE TABLE accounts (id text PRIMARY KEY, owner text NOT NULL);
CREATE TABLE payments (
    id bigserial PRIMARY KEY,
    account text NOT NULL REFERENCES accounts,
    amount bigint NOT NULL
);
CREATE INDEX payments_account_idx ON payments (account);
INSERT INTO accounts SELECT md5(i::text), i FROM generate_series(1, 10000) i;
INSERT INTO payments (account, amount) SELECT md5(i::text), i FROM generate_series(1, 10000) i;
ANALYZE accounts, payments;
