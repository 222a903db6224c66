-- Live columns in order of their number. to_jsonb() reads catalogue columns that not every version has. The identity of a
-- partition's column (17 and later) has its sequence at the parent and is left out here.
SELECT a.attrelid AS oid, json_agg(json_build_object(
    'number', a.attnum,
    'name', a.attname,
    'type_sql', format_type(a.atttypid, a.atttypmod),
    'type_oid', a.atttypid::bigint,
    'collation', CASE WHEN a.attcollation <> t.typcollation
                      THEN (SELECT json_build_object('schema', cn.nspname, 'name', co.collname)
                            FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END,
    'not_null', a.attnotnull,
    'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    'identity', CASE WHEN owned.identity IS NOT NULL THEN json_build_object('always', a.attidentity = 'a', 'sequence', owned.identity) END,
    'owned_sequences', coalesce(owned.sequences, '[]'),
    'generated', CASE WHEN a.attgenerated <> ''
                      THEN json_build_object('expression', pg_get_expr(d.adbin, d.adrelid), 'stored', a.attgenerated = 's') END,
    'statistics_target', nullif((to_jsonb(a) ->> 'attstattarget')::int, -1),
    'storage', CASE WHEN a.attstorage <> t.typstorage
                    THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
    'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
    'options', to_json(ARRAY(SELECT unnest(a.attoptions) ORDER BY 1)),
    'grants', coalesce((SELECT json_agg(json_build_object(
                            'grantee', CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END,
                            'privilege', g.privilege_type, 'grantable', g.is_grantable, 'grantor', pg_get_userbyid(g.grantor))
                            ORDER BY g.grantee::regrole::text COLLATE "C", g.privilege_type, g.grantor::regrole::text COLLATE "C")
                        FROM aclexplode(a.attacl) g), '[]'),
    'comment', col_description(a.attrelid, a.attnum)) ORDER BY a.attnum)::text
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (
    SELECT json_agg(q.value ORDER BY q.name) FILTER (WHERE q.deptype = 'a') AS sequences,
           min(q.value::text) FILTER (WHERE q.deptype = 'i') :: json AS identity
    FROM (
    SELECT o.deptype, sc.oid::regclass::text AS name, json_build_object(
        'oid', s.seqrelid::bigint,
        'name', json_build_object('schema', sn.nspname, 'name', sc.relname),
        'type_sql', format_type(s.seqtypid, NULL),
        'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle,
        'comment', obj_description(s.seqrelid, 'pg_class'),
        'grants', coalesce((SELECT json_agg(json_build_object(
                                'grantee', CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END,
                                'privilege', g.privilege_type, 'grantable', g.is_grantable, 'grantor', pg_get_userbyid(g.grantor))
                                ORDER BY g.grantee::regrole::text COLLATE "C", g.privilege_type)
                            FROM aclexplode(sc.relacl) g), '[]')) AS value
    FROM pg_depend o
    JOIN pg_sequence s ON s.seqrelid = o.objid
    JOIN pg_class sc ON sc.oid = s.seqrelid
    JOIN pg_namespace sn ON sn.oid = sc.relnamespace
    WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
      AND o.refobjid = a.attrelid AND o.refobjsubid = a.attnum
    ) AS q
) AS owned ON true
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY a.attrelid
