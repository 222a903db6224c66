-- shoofly: up = lower(email)
ALTER TABLE users ADD COLUMN login text;
