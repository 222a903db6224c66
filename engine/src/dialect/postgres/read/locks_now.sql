-- Sessions in the way of locks on the relations: whoever holds SHARE UPDATE EXCLUSIVE or more (vacuum included), waits for a
-- lock, is a prepared transaction, or has any lock there in a transaction older than the patience. A row for each lock.
-- $1 schemas, $2 relations (same length), $3 patience in seconds.
WITH target AS (
    SELECT c.oid, n.nspname, c.relname
    FROM unnest($1::text[], $2::text[]) AS t(s, r)
    JOIN pg_catalog.pg_namespace n ON n.nspname = t.s
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.r
), held AS (
    SELECT l.pid, target.nspname, target.relname, l.mode, l.granted,
           coalesce(a.usename::text, '') || CASE WHEN l.pid IS NULL THEN '' ELSE '@' || coalesce(host(a.client_addr), 'local') END AS account,
           CASE WHEN l.pid IS NULL THEN '' ELSE coalesce(nullif(a.application_name, ''), a.backend_type, '') END AS program,
           coalesce(a.state, a.backend_type, CASE WHEN l.pid IS NULL THEN 'a prepared transaction' ELSE 'hidden from this role' END) AS state,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age,
           coalesce(left(btrim(regexp_replace(a.query, '\s+', ' ', 'g')), 120), '') AS statement,
           NOT l.granted OR l.pid IS NULL
               OR l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
               OR clock_timestamp() - a.xact_start > make_interval(secs => $3) AS counts
    FROM pg_catalog.pg_locks l
    JOIN target ON target.oid = l.relation
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'relation'
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND l.pid IS DISTINCT FROM pg_backend_pid()
)
SELECT pid, account, program, state, age, statement, granted, nspname::text AS schema, relname::text AS relation,
       upper(regexp_replace(regexp_replace(mode, 'Lock$', ''), '(?<=[a-z])(?=[A-Z])', ' ', 'g')) AS mode
FROM held
WHERE counts OR pid IN (SELECT pid FROM held WHERE counts)
LIMIT 1000
