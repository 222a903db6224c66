-- How each source type becomes each target type: the catalogue's casts, else through the text form where the server would do
-- that (to a string type in assignments, from one only when written).
SELECT s.oid AS source, t.oid AS target,
       coalesce(c.castmethod, 'i'::"char") AS method,
       coalesce(c.castcontext, CASE WHEN t.typcategory = 'S' THEN 'a'::"char" ELSE 'e'::"char" END) AS context
FROM pg_type s
CROSS JOIN pg_type t
LEFT JOIN pg_cast c ON c.castsource = s.oid AND c.casttarget = t.oid
WHERE s.oid = ANY ($1::oid[]) AND t.oid = ANY ($2::oid[])
  AND (c.oid IS NOT NULL OR s.typcategory = 'S' OR t.typcategory = 'S')
ORDER BY 1, 2
