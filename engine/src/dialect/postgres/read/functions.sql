-- Every overload of the functions named; without a schema, wherever the search path finds one. $1 schemas or NULL, $2 names.
SELECT n.nspname, p.proname, p.provolatile AS volatility, p.proisstrict AS strict
FROM unnest($1::text[], $2::text[]) AS w(s, f)
JOIN pg_proc p ON p.proname = w.f
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = w.s OR (w.s IS NULL AND n.nspname = ANY (current_schemas(true)))
ORDER BY 1, 2, 3
