-- Whoever may still see the database as it was before the transaction $1 (an xid8 as text): sessions of this database by
-- their snapshot, standbys by their feedback. Prepared transactions read no more and hold no snapshot. $2 our own backends.
-- age() counts back from one and the same transaction id and so does not mind that 32-bit ids wrap around.
-- Whose transaction is hidden from this role is as old as can be: better to wait for too long than to miss it.
WITH bound AS (
    SELECT age(($1::text::numeric % 4294967296)::text::xid) AS distance
)
SELECT a.pid, coalesce(a.usename::text, '') AS role, coalesce(nullif(a.application_name, ''), a.backend_type, '') AS application,
       coalesce(a.state, a.backend_type, '') AS state,
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 'infinity')::float8 AS age,
       coalesce(left(regexp_replace(a.query, '\s+', ' ', 'g'), 200), '') AS query,
       'a snapshot' AS holds
FROM pg_catalog.pg_stat_activity a
WHERE a.datname = current_database() AND a.backend_xmin IS NOT NULL AND a.pid <> ALL ($2::int[])
  AND a.backend_type IS DISTINCT FROM 'walsender'
  AND age(a.backend_xmin) >= (SELECT distance FROM bound)
UNION ALL
SELECT coalesce(r.pid, 0), coalesce(r.usename::text, ''), coalesce(r.application_name, ''), 'standby with feedback',
       'infinity'::float8, '', 'a snapshot on the standby'
FROM pg_catalog.pg_stat_replication r
WHERE r.backend_xmin IS NOT NULL AND age(r.backend_xmin) >= (SELECT distance FROM bound)
UNION ALL
SELECT coalesce(s.active_pid, 0), '', s.slot_name::text, 'replication slot', 'infinity'::float8, '', 'the horizon of a standby'
FROM pg_catalog.pg_replication_slots s
WHERE s.xmin IS NOT NULL AND age(s.xmin) >= (SELECT distance FROM bound)
ORDER BY age DESC
