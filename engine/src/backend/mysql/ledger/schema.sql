-- shoofly's own tables, in a database of their own on the same server. Every statement can be repeated.

CREATE DATABASE IF NOT EXISTS shoofly DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row for each run of a migration, kept for ever: the history.
CREATE TABLE IF NOT EXISTS shoofly.run (
    id            BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    migration     VARCHAR(500) NOT NULL,
    checksum      VARCHAR(64)  NOT NULL,
    direction     VARCHAR(10)  NOT NULL,
    state         VARCHAR(20)  NOT NULL,
    -- Raised by each process that takes the run over: whoever holds an older one can no longer commit.
    epoch         BIGINT       NOT NULL DEFAULT 0,
    plan          LONGTEXT     NOT NULL,
    -- Who holds the run, for people; whether somebody does is told by the session's named lock.
    holder        VARCHAR(300) NULL,
    holder_session BIGINT      NULL,
    last_error    TEXT         NULL,
    began         DATETIME(6)  NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    ended         DATETIME(6)  NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The tables of a run: at most one active run for each table. An ended one has NULL, which is equal to nothing.
CREATE TABLE IF NOT EXISTS shoofly.run_table (
    run          BIGINT      NOT NULL,
    table_schema VARCHAR(64) NOT NULL,
    table_name   VARCHAR(64) NOT NULL,
    active       TINYINT     NULL DEFAULT 1,
    PRIMARY KEY (run, table_schema, table_name),
    UNIQUE KEY one_active_run_per_table (table_schema, table_name, active)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Steps begun or done. DDL commits by itself: the intent is written before it, and what has become of it is asked of the catalogue.
CREATE TABLE IF NOT EXISTS shoofly.step (
    run      BIGINT       NOT NULL,
    step     VARCHAR(100) NOT NULL,
    state    VARCHAR(10)  NOT NULL,
    attempts INT          NOT NULL DEFAULT 1,
    -- What the catalogue said when the step was begun.
    seen     LONGTEXT     NULL,
    began    DATETIME(6)  NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    ended    DATETIME(6)  NULL,
    PRIMARY KEY (run, step)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Pieces of a fill: ranges of a key, each worked by one connection. Written in every chunk's own transaction.
CREATE TABLE IF NOT EXISTS shoofly.lane (
    run          BIGINT       NOT NULL,
    step         VARCHAR(100) NOT NULL,
    lane         INT          NOT NULL,
    epoch        BIGINT       NOT NULL,
    -- Places are JSON arrays of literals. The first piece begins before the first row, the last one ends behind the last.
    from_place   LONGTEXT     NULL,
    next_place   LONGTEXT     NULL,
    to_place     LONGTEXT     NULL,
    rows_total   BIGINT       NOT NULL,
    rows_done    BIGINT       NOT NULL DEFAULT 0,
    rows_written BIGINT       NOT NULL DEFAULT 0,
    done         TINYINT      NOT NULL DEFAULT 0,
    PRIMARY KEY (run, step, lane)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Rows that somebody held when their turn came; tried again at the end of the fill.
CREATE TABLE IF NOT EXISTS shoofly.deferred (
    id    BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    run   BIGINT       NOT NULL,
    step  VARCHAR(100) NOT NULL,
    place LONGTEXT     NOT NULL,
    KEY of_a_step (run, step)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What happened, for people. Only added to.
CREATE TABLE IF NOT EXISTS shoofly.event (
    id   BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    run  BIGINT      NOT NULL,
    at   DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    what TEXT        NOT NULL,
    KEY of_a_run (run)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
