-- A type by oid and modifier.
SELECT t.oid, format_type(t.oid, $2::int4) AS canonical, t.typtype AS kind,
       EXISTS (SELECT FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod
               WHERE a.amname IN ('btree', 'hash') AND o.opcdefault
                 AND (o.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid)
                      OR (t.typtype = 'e' AND o.opcintype = 'anyenum'::regtype)
                      OR (t.typtype = 'r' AND o.opcintype = 'anyrange'::regtype)
                      OR (t.typtype = 'm' AND o.opcintype = 'anymultirange'::regtype)
                      OR (t.typname IN ('varchar') AND o.opcintype = 'text'::regtype)
                      OR (t.typcategory = 'A' AND o.opcintype = 'anyarray'::regtype AND EXISTS (
                              SELECT FROM pg_opclass e WHERE e.opcdefault AND e.opcintype = t.typelem)))) AS has_equality,
       cn.nspname AS collation_schema, co.collname AS collation_name,
       CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END AS storage,
       t.typlen AS length
FROM pg_type t
LEFT JOIN pg_collation co ON co.oid = t.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE t.oid = $1::oid
