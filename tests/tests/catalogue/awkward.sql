CREATE SCHEMA "Odd schema";
SET search_path = "Odd schema", public;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT upper($1)';

CREATE TABLE country (code char(2) PRIMARY KEY, name text);
CREATE TABLE "Big table" (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 3 CACHE 7) PRIMARY KEY,
    tick serial,
    "Name" varchar(40) COLLATE "C" NOT NULL DEFAULT 'it''s',
    amount numeric(12, 3) CONSTRAINT amount_fits CHECK (amount > 0) NO INHERIT,
    doubled numeric GENERATED ALWAYS AS (amount * 2) STORED,
    country char(2) REFERENCES country MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    feeling mood DEFAULT 'sad',
    positive positive,
    during int4range,
    body text,
    tags text[],
    parent bigint,
    a int,
    b int,
    free int,
    CONSTRAINT alone EXCLUDE USING gist (during WITH &&) DEFERRABLE,
    CONSTRAINT pair UNIQUE (a, b) INCLUDE (feeling) DEFERRABLE,
    CONSTRAINT own_parent FOREIGN KEY (parent) REFERENCES "Big table" (id) ON DELETE CASCADE
) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off);
ALTER TABLE "Big table" ADD CONSTRAINT later CHECK (a < b) NOT VALID;

CREATE INDEX by_expression ON "Big table" (lower(body) text_pattern_ops, a DESC NULLS LAST) WHERE b > 3;
CREATE UNIQUE INDEX by_name ON "Big table" ("Name" COLLATE "POSIX") INCLUDE (amount) WITH (fillfactor = 60);
CREATE INDEX by_tags ON "Big table" USING gin (tags) WITH (fastupdate = off);
CREATE INDEX whole_row ON "Big table" ((("Big table".*) IS NULL));
CREATE UNIQUE INDEX for_replicas ON "Big table" ("Name", id);
ALTER INDEX by_expression ALTER COLUMN 1 SET STATISTICS 321;
COMMENT ON INDEX by_tags IS 'tags';
ALTER TABLE "Big table" CLUSTER ON by_name;
ALTER TABLE "Big table" REPLICA IDENTITY USING INDEX for_replicas;

CREATE TABLE child (id int, big bigint REFERENCES "Big table" DEFERRABLE, PRIMARY KEY (id));
COMMENT ON CONSTRAINT child_big_fkey ON child IS 'to the big one';
CREATE TABLE parts (big bigint NOT NULL REFERENCES "Big table", at date) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');

CREATE TRIGGER plain BEFORE INSERT OR UPDATE ON "Big table" FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER narrow AFTER UPDATE OF amount, "Name" ON "Big table"
    FOR EACH ROW WHEN (OLD.body IS DISTINCT FROM NEW.body) EXECUTE FUNCTION touch('x');
CREATE CONSTRAINT TRIGGER late AFTER DELETE ON "Big table" DEFERRABLE FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE "Big table" DISABLE TRIGGER plain;
ALTER TABLE "Big table" ENABLE ALWAYS TRIGGER narrow;
COMMENT ON TRIGGER plain ON "Big table" IS 'off';

CREATE VIEW seen AS SELECT id, "Name", amount FROM "Big table";
CREATE VIEW grouped AS SELECT id, body FROM "Big table" GROUP BY id;
CREATE MATERIALIZED VIEW kept AS SELECT feeling FROM "Big table";
CREATE VIEW counter AS SELECT last_value FROM "Big table_id_seq";
CREATE RULE shadow AS ON DELETE TO "Big table" DO ALSO DELETE FROM child WHERE big = OLD.b;
CREATE FUNCTION total() RETURNS numeric LANGUAGE sql STABLE BEGIN ATOMIC SELECT sum(amount) FROM "Big table"; END;
CREATE FUNCTION whole("Big table") RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION mentions() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM "Big table" WHERE a = 1; END';

ALTER TABLE "Big table" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Big table" FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON "Big table" AS RESTRICTIVE FOR UPDATE TO app, reader USING (a = 1) WITH CHECK (b = 2);
GRANT SELECT, INSERT ON "Big table" TO app WITH GRANT OPTION;
GRANT UPDATE (body) ON "Big table" TO reader;
GRANT SELECT ON "Big table" TO PUBLIC;
GRANT USAGE ON SEQUENCE "Big table_tick_seq", "Big table_id_seq" TO app;
COMMENT ON TABLE "Big table" IS 'big';
COMMENT ON COLUMN "Big table".body IS 'the body';
COMMENT ON CONSTRAINT amount_fits ON "Big table" IS 'fits';
COMMENT ON SEQUENCE "Big table_tick_seq" IS 'ticks';
ALTER TABLE "Big table" ALTER body SET STATISTICS 500, ALTER body SET STORAGE EXTERNAL, ALTER body SET COMPRESSION pglz,
    ALTER body SET (n_distinct = -0.5);
CREATE STATISTICS together (ndistinct, mcv) ON a, b, (lower(body)) FROM "Big table";
ALTER STATISTICS together SET STATISTICS 77;
COMMENT ON STATISTICS together IS 'correlated';
CREATE PUBLICATION part FOR TABLE "Big table" (id, "Name", a) WHERE (a > 1) WITH (publish = 'insert');
CREATE PUBLICATION everything FOR ALL TABLES;
RESET search_path;
