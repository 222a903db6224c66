-- Whoever keeps row versions of this database from being pruned that transactions below $1 (an xid8 as text) have replaced:
-- by a snapshot or by a transaction id of its own. $2 our own backends. VACUUM holds nobody back.
WITH bound AS (
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::numeric - $1::text::numeric AS distance
), holder AS (
    SELECT a.pid, coalesce(a.usename::text, '') AS role, coalesce(nullif(a.application_name, ''), a.backend_type, '') AS application,
           coalesce(a.state, '') AS state, coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS age,
           greatest(age(a.backend_xmin), age(a.backend_xid)) AS distance
    FROM pg_catalog.pg_stat_activity a
    WHERE (a.datname = current_database() OR a.backend_type = 'walsender') AND a.pid <> ALL ($2::int[])
      AND a.pid NOT IN (SELECT v.pid FROM pg_catalog.pg_stat_progress_vacuum v)
    UNION ALL
    SELECT 0, p.owner::text, 'prepared transaction ' || p.gid, 'prepared',
           extract(epoch FROM clock_timestamp() - p.prepared)::float8, age(p.transaction)
    FROM pg_catalog.pg_prepared_xacts p WHERE p.database = current_database()
    UNION ALL
    SELECT coalesce(s.active_pid, 0), '', 'replication slot ' || s.slot_name, 'slot', 0, age(s.xmin)
    FROM pg_catalog.pg_replication_slots s WHERE s.xmin IS NOT NULL
)
SELECT pid, role, application, state, age
FROM holder WHERE distance > (SELECT distance FROM bound) ORDER BY distance DESC LIMIT 1
