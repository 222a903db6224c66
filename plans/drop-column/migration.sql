-- shoofly: down = 'active'
ALTER TABLE users DROP COLUMN status;
