-- shoofly: strategy = dual-column
ALTER TABLE orders MODIFY quantity BIGINT NOT NULL DEFAULT 1;
