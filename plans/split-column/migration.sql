-- migrate:up
ALTER TABLE users ADD COLUMN domain text;
UPDATE users SET domain = split_part(email, '@', 2);
ALTER TABLE users ALTER COLUMN domain SET NOT NULL;
CREATE INDEX users_domain_idx ON users (domain);

-- migrate:down
ALTER TABLE users DROP COLUMN domain;
