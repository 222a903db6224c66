CREATE UNIQUE INDEX ON users (lower(email)) WHERE email IS NOT NULL;
