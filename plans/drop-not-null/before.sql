CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email varchar(100),
    status text DEFAULT 'new',
    logins integer NOT NULL DEFAULT 0
);
CREATE INDEX users_status_idx ON users (status);
INSERT INTO users (name, email) SELECT 'user ' || i, 'User' || i || '@example.com' FROM generate_series(1, 10000) i;
ANALYZE users;
