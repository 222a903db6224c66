-- Where the table's row type is used: columns of other relations, arguments and results of functions.
SELECT c.oid, to_json(array_agg(u.place ORDER BY u.place))::text
FROM pg_class c
JOIN pg_type t ON t.oid = c.reltype
CROSS JOIN LATERAL (
    SELECT 'column ' || a.attrelid::regclass::text || '.' || a.attname AS place
    FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
    WHERE a.atttypid IN (t.oid, t.typarray) AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'm', 'v', 'f', 'c')
    UNION
    SELECT 'function ' || f.oid::regprocedure::text
    FROM pg_proc f
    WHERE f.prorettype IN (t.oid, t.typarray) OR f.proargtypes::oid[] && ARRAY[t.oid, t.typarray] OR f.proallargtypes && ARRAY[t.oid, t.typarray]
) AS u
WHERE c.oid = ANY ($1::oid[])
GROUP BY c.oid
