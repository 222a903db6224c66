-- A type by oid and modifier. A default operator class of btree or hash brings `=`; binary-coercible types share it.
WITH RECURSIVE based AS (
    SELECT oid, typbasetype, typtype, typcategory, typelem FROM pg_type WHERE oid = $1::oid
    UNION ALL
    SELECT t.oid, t.typbasetype, t.typtype, t.typcategory, t.typelem FROM based JOIN pg_type t ON t.oid = based.typbasetype
), comparable AS (
    SELECT o.opcintype AS oid FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod WHERE a.amname IN ('btree', 'hash') AND o.opcdefault
    UNION
    SELECT c.castsource FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod JOIN pg_cast c ON c.casttarget = o.opcintype
    WHERE a.amname IN ('btree', 'hash') AND o.opcdefault AND c.castmethod = 'b' AND c.castcontext = 'i'
)
SELECT t.oid, format_type(t.oid, $2::int4) AS canonical, t.typtype AS kind,
       EXISTS (SELECT FROM based b WHERE b.typtype <> 'd' AND (
           b.typtype IN ('e', 'r', 'm')
           OR b.oid IN (SELECT oid FROM comparable)
           OR (b.typcategory = 'A' AND (b.typelem IN (SELECT oid FROM comparable)
                                        OR (SELECT e.typtype FROM pg_type e WHERE e.oid = b.typelem) IN ('e', 'r', 'm'))))) AS has_equality,
       cn.nspname AS collation_schema, co.collname AS collation_name,
       CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END AS storage,
       t.typlen AS length
FROM pg_type t
LEFT JOIN pg_collation co ON co.oid = t.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE t.oid = $1::oid
