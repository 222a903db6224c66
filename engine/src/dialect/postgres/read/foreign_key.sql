SELECT json_build_object(
    'name', k.conname,
    'from', (SELECT json_build_object('schema', n.nspname, 'name', r.relname) FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = k.conrelid),
    'from_columns', to_json(ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY AS u(num, at)
                                  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.at)),
    'to', (SELECT json_build_object('schema', n.nspname, 'name', r.relname) FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = k.confrelid),
    'to_columns', to_json(ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY AS u(num, at)
                                JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.at)),
    'match_full', k.confmatchtype = 'f',
    'on_update', CASE k.confupdtype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END,
    'on_delete', CASE k.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END,
    'on_delete_columns', to_json(ARRAY(SELECT a.attname FROM jsonb_array_elements_text(coalesce(nullif(to_jsonb(k) -> 'confdelsetcols', 'null'), '[]')) AS u(num)
                                       JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num::int2 ORDER BY a.attnum)),
    'deferrable', k.condeferrable,
    'deferred', k.condeferred,
    'validated', k.convalidated,
    'comment', obj_description(k.oid, 'pg_constraint'),
    'from_partitioned', (SELECT r.relkind = 'p' FROM pg_class r WHERE r.oid = k.conrelid),
    'from_owned_by_us', (SELECT pg_has_role(r.relowner, 'USAGE') FROM pg_class r WHERE r.oid = k.conrelid)) AS value
