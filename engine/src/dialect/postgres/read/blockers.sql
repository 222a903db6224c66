-- Sessions that would make a conflicting lock on the tables wait: holders of SHARE UPDATE EXCLUSIVE or stronger (vacuum
-- included), transactions older than the patience that hold any lock there, prepared transactions.
-- $1 schemas, $2 tables (same length), $3 patience in seconds, $4 our own backends.
WITH target AS (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name
    FROM unnest($1::text[], $2::text[]) AS t(s, r)
    JOIN pg_catalog.pg_namespace n ON n.nspname = t.s
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.r
), held AS (
    SELECT l.pid, l.virtualtransaction, target.name, l.mode,
           l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') AS strong
    FROM pg_catalog.pg_locks l
    JOIN target ON target.oid = l.relation
    WHERE l.locktype = 'relation' AND l.granted
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND (l.pid IS NULL OR l.pid <> ALL ($4::int[]))
)
SELECT coalesce(held.pid, 0) AS pid,
       coalesce(a.usename::text, '') AS role,
       CASE WHEN held.pid IS NULL THEN 'prepared transaction' ELSE coalesce(nullif(a.application_name, ''), a.backend_type, '') END AS application,
       coalesce(a.state, a.backend_type, CASE WHEN held.pid IS NULL THEN 'prepared' ELSE 'hidden from this role' END) AS state,
       coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start)), 0)::float8 AS age,
       coalesce(left(regexp_replace(a.query, '\s+', ' ', 'g'), 200), '') AS query,
       string_agg(DISTINCT upper(regexp_replace(regexp_replace(held.mode, 'Lock$', ''), '(?<=[a-z])(?=[A-Z])', ' ', 'g')) || ' on ' || held.name, ', ') AS holds
FROM held
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = held.pid
GROUP BY held.pid, held.virtualtransaction, a.usename, a.application_name, a.backend_type, a.state, a.xact_start, a.query_start, a.query
HAVING bool_or(held.strong) OR held.pid IS NULL OR clock_timestamp() - a.xact_start > make_interval(secs => $3)
ORDER BY age DESC
