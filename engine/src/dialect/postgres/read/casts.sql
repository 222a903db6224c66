-- How each source type becomes each target type: the catalogue's casts, else through the text form where the server would do
-- that (to a string type in assignments, from one only when written). An array becomes an array as its elements do, by work
-- on every element, whatever the elements' own cast costs.
SELECT s.oid AS source, t.oid AS target,
       coalesce(c.castmethod, CASE WHEN e.oid IS NOT NULL THEN 'f'::"char" ELSE 'i'::"char" END) AS method,
       coalesce(c.castcontext, e.castcontext, CASE WHEN t.typcategory = 'S' THEN 'a'::"char" ELSE 'e'::"char" END) AS context
FROM pg_type s
CROSS JOIN pg_type t
LEFT JOIN pg_cast c ON c.castsource = s.oid AND c.casttarget = t.oid
LEFT JOIN pg_cast e ON e.castsource = s.typelem AND e.casttarget = t.typelem AND s.typcategory = 'A' AND t.typcategory = 'A'
WHERE s.oid = ANY ($1::oid[]) AND t.oid = ANY ($2::oid[])
  AND (c.oid IS NOT NULL OR e.oid IS NOT NULL OR s.typcategory = 'S' OR t.typcategory = 'S')
ORDER BY 1, 2
