-- Constraints held by the table, its foreign keys among them.
SELECT c.conrelid AS oid, json_agg(json_build_object(
    'name', c.conname,
    'kind', CASE c.contype
        WHEN 'p' THEN json_build_object('primary-key', json_build_object('index', x.name))
        WHEN 'u' THEN json_build_object('unique', json_build_object('index', x.name))
        WHEN 'c' THEN json_build_object('check', json_build_object('expression', pg_get_expr(c.conbin, c.conrelid)))
        WHEN 'n' THEN to_json('not-null'::text)
        WHEN 'x' THEN to_json('exclusion'::text)
        WHEN 't' THEN to_json('trigger'::text)
        ELSE json_build_object('foreign-key', fk.value) END,
    'definition', pg_get_constraintdef(c.oid),
    'columns', to_json(ARRAY(SELECT a.attname FROM unnest(c.conkey) WITH ORDINALITY AS k(num, at)
                             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num ORDER BY k.at)),
    'validated', c.convalidated,
    'deferrable', c.condeferrable,
    'deferred', c.condeferred,
    'no_inherit', c.connoinherit,
    'inherited', c.coninhcount > 0,
    'comment', obj_description(c.oid, 'pg_constraint')) ORDER BY c.conname)::text
FROM pg_constraint c
LEFT JOIN LATERAL (
    SELECT json_build_object('schema', n.nspname, 'name', r.relname) AS name
    FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = c.conindid
) AS x ON true
LEFT JOIN LATERAL (SELECT f.value FROM pg_constraint k CROSS JOIN LATERAL ({foreign_key}) AS f WHERE k.oid = c.oid AND k.contype = 'f') AS fk ON true
WHERE c.conrelid = ANY ($1::oid[])
GROUP BY c.conrelid
