-- Publications that contain the table.
SELECT c.oid, json_agg(json_build_object(
    'name', p.pubname,
    'by_schema_or_all', pr.oid IS NULL,
    'columns', CASE WHEN jsonb_typeof(to_jsonb(pr) -> 'prattrs') = 'array' THEN to_json(ARRAY(
                   SELECT a.attname FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND to_jsonb(pr) -> 'prattrs' @> to_jsonb(a.attnum) ORDER BY a.attnum)) END,
    'row_filter', to_jsonb(pt) ->> 'rowfilter',
    'has_slots', EXISTS (SELECT FROM pg_replication_slots s WHERE s.slot_type = 'logical' AND s.database = current_database()))
    ORDER BY p.pubname)::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_publication_tables pt ON pt.schemaname = n.nspname AND pt.tablename = c.relname
JOIN pg_publication p ON p.pubname = pt.pubname
LEFT JOIN pg_publication_rel pr ON pr.prpubid = p.oid AND pr.prrelid = c.oid
WHERE c.oid = ANY ($1::oid[])
GROUP BY c.oid
