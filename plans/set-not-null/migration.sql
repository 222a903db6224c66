-- shoofly: up = 'unknown'
ALTER TABLE users ALTER COLUMN email SET NOT NULL;
