-- Indexes with the server's own definition of each.
SELECT i.indrelid AS oid, json_agg(json_build_object(
    'oid', i.indexrelid::bigint,
    'name', json_build_object('schema', n.nspname, 'name', x.relname),
    'definition', pg_get_indexdef(i.indexrelid),
    'method', am.amname,
    'key_columns', to_json(ARRAY(SELECT a.attname FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, at)
                                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
                                 WHERE k.at <= i.indnkeyatts ORDER BY k.at)),
    'include_columns', to_json(ARRAY(SELECT a.attname FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, at)
                                     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
                                     WHERE k.at > i.indnkeyatts ORDER BY k.at)),
    'column_names', to_json(ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indexrelid ORDER BY a.attnum)),
    'depends_on', to_json(ARRAY(SELECT a.attname FROM pg_attribute a
                                WHERE a.attrelid = i.indrelid AND a.attnum > 0 AND NOT a.attisdropped AND (
                                    a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
                                        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                                          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))
                                ORDER BY a.attname)),
    'has_expressions', i.indexprs IS NOT NULL,
    'predicate', pg_get_expr(i.indpred, i.indrelid),
    'unique', i.indisunique,
    'immediate', i.indimmediate,
    'valid', i.indisvalid AND i.indisready,
    'clustered', i.indisclustered,
    'replica_identity', i.indisreplident,
    'constraint', (SELECT c.conname FROM pg_constraint c
                   WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid AND c.contype IN ('p', 'u', 'x')),
    'options', to_json(ARRAY(SELECT unnest(x.reloptions) ORDER BY 1)),
    'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = x.reltablespace),
    'statistics_targets', coalesce((SELECT json_agg(json_build_array(a.attnum, (to_jsonb(a) ->> 'attstattarget')::int) ORDER BY a.attnum)
                                    FROM pg_attribute a WHERE a.attrelid = i.indexrelid
                                      AND coalesce((to_jsonb(a) ->> 'attstattarget')::int, -1) >= 0), '[]'),
    'comment', obj_description(i.indexrelid, 'pg_class'),
    'bytes', coalesce(pg_relation_size(i.indexrelid), 0)) ORDER BY n.nspname, x.relname)::text
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
JOIN pg_am am ON am.oid = x.relam
WHERE i.indrelid = ANY ($1::oid[])
GROUP BY i.indrelid
