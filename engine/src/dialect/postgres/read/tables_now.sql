-- Estimates of the planner's statistics: no table is opened for them, so that nobody is waited for.
-- $1 schemas, $2 tables (same length).
SELECT n.nspname::text AS schema, c.relname::text AS relation, greatest(c.reltuples, 0)::int8 AS rows,
       c.relpages::int8 * current_setting('block_size')::int8 AS data_bytes,
       coalesce((SELECT sum(k.relpages::int8) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
                 WHERE i.indrelid = c.oid), 0)::int8 * current_setting('block_size')::int8 AS index_bytes
FROM unnest($1::text[], $2::text[]) AS t(s, r)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.s
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.r
WHERE c.relkind IN ('r', 'p')
