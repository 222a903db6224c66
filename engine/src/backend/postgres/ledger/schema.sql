-- shoofly's own tables in the target database. Every statement can be repeated.

-- Not IF NOT EXISTS: that asks for the right to create schemas even where the owner has made this one.
DO $$
BEGIN
    IF to_regnamespace('shoofly') IS NULL THEN
        CREATE SCHEMA shoofly;
    END IF;
END
$$;

-- One row for each run of a migration, kept for ever: the history.
CREATE TABLE IF NOT EXISTS shoofly.run (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    migration      text   NOT NULL,
    checksum       text   NOT NULL,
    direction      text   NOT NULL CHECK (direction IN ('up', 'down')),
    state          text   NOT NULL CHECK (state IN ('running', 'ready', 'completing', 'complete', 'rolling-back', 'rolled-back')),
    -- Raised by each process that takes the run over: whoever holds an older one can no longer commit.
    epoch          bigint NOT NULL DEFAULT 0,
    plan           json   NOT NULL,
    -- Who holds the run, for people; whether somebody does is told by the session's advisory lock.
    holder         text,
    holder_backend integer,
    last_error     text,
    began          timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended          timestamptz
);

-- The tables of a run: at most one active run for each table.
CREATE TABLE IF NOT EXISTS shoofly.run_table (
    run         bigint  NOT NULL REFERENCES shoofly.run ON DELETE CASCADE,
    schema_name text    NOT NULL,
    table_name  text    NOT NULL,
    active      boolean NOT NULL DEFAULT true,
    PRIMARY KEY (run, schema_name, table_name)
);
CREATE UNIQUE INDEX IF NOT EXISTS one_active_run_per_table ON shoofly.run_table (schema_name, table_name) WHERE active;

-- Steps begun or done. A step inside a transaction is recorded by that transaction.
CREATE TABLE IF NOT EXISTS shoofly.step (
    run      bigint  NOT NULL REFERENCES shoofly.run ON DELETE CASCADE,
    step     text    NOT NULL,
    state    text    NOT NULL CHECK (state IN ('begun', 'done')),
    attempts integer NOT NULL DEFAULT 1,
    began    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended    timestamptz,
    PRIMARY KEY (run, step)
);

-- A fill's lanes: disjoint block ranges, each worked by one connection. Written in every chunk's own transaction.
CREATE TABLE IF NOT EXISTS shoofly.lane (
    run           bigint  NOT NULL REFERENCES shoofly.run ON DELETE CASCADE,
    step          text    NOT NULL,
    lane          integer NOT NULL,
    epoch         bigint  NOT NULL,
    -- The table's file: a new one (VACUUM FULL, CLUSTER) makes block numbers meaningless and restarts the lane.
    relfilenode   oid     NOT NULL,
    from_block    bigint  NOT NULL,
    to_block      bigint  NOT NULL,
    -- Everything below is filled or deferred.
    next_block    bigint  NOT NULL,
    rows_written  bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (run, step, lane)
) WITH (fillfactor = 50);

-- Blocks with rows that somebody held when their turn came; tried again at the end of the fill.
CREATE TABLE IF NOT EXISTS shoofly.deferred (
    run   bigint NOT NULL REFERENCES shoofly.run ON DELETE CASCADE,
    step  text   NOT NULL,
    block bigint NOT NULL,
    PRIMARY KEY (run, step, block)
);

-- What happened, for people. Only added to.
CREATE TABLE IF NOT EXISTS shoofly.event (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run  bigint NOT NULL REFERENCES shoofly.run ON DELETE CASCADE,
    at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    what text NOT NULL
);

-- Called first in every transaction of ours: fails unless the caller still holds the run, and keeps it from being taken over
-- until the transaction ends.
CREATE OR REPLACE FUNCTION shoofly.hold(held_run bigint, held_epoch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM 1 FROM shoofly.run WHERE id = held_run AND epoch = held_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % was taken over by another process', held_run USING ERRCODE = 'SF001';
    END IF;
END
$$;
