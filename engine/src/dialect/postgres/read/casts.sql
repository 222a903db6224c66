-- How each source type becomes each target type: the catalogue's casts between their base types; an array becomes an array as
-- its elements do, by work on every element, whatever the elements' own cast costs; else through the text form where the
-- server would do that (to a string type in assignments, from one only when written).
WITH RECURSIVE based AS (
    SELECT oid AS whole, oid AS base FROM pg_type WHERE oid = ANY ($1::oid[] || $2::oid[])
    UNION ALL
    SELECT based.whole, t.typbasetype FROM based JOIN pg_type t ON t.oid = based.base WHERE t.typtype = 'd'
), known AS (
    SELECT based.whole, t.oid AS base, t.typcategory, CASE WHEN t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem END AS element
    FROM based JOIN pg_type t ON t.oid = based.base WHERE t.typtype <> 'd'
)
SELECT DISTINCT s.whole AS source, t.whole AS target,
       coalesce(c.castmethod, CASE WHEN e.oid IS NOT NULL THEN 'f'::"char" END,
                CASE WHEN s.base = t.base THEN 'b'::"char" ELSE 'i'::"char" END) AS method,
       coalesce(c.castcontext, e.castcontext,
                CASE WHEN s.base = t.base THEN 'i'::"char" WHEN t.typcategory = 'S' THEN 'a'::"char" ELSE 'e'::"char" END) AS context
FROM known s
CROSS JOIN known t
LEFT JOIN pg_cast c ON c.castsource = s.base AND c.casttarget = t.base
-- The array of elements that are the same type is the same type; the header of any other array names its element type.
LEFT JOIN pg_cast e ON c.oid IS NULL AND e.castsource = s.element AND e.casttarget = t.element
WHERE s.whole = ANY ($1::oid[]) AND t.whole = ANY ($2::oid[])
  AND (c.oid IS NOT NULL OR e.oid IS NOT NULL OR s.base = t.base OR s.typcategory = 'S' OR t.typcategory = 'S')
ORDER BY 1, 2
