ALTER TABLE accounts ALTER COLUMN id TYPE uuid USING id::uuid;
ALTER TABLE payments ALTER COLUMN account TYPE uuid USING account::uuid;
