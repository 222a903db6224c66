-- Functions of the user's whose source mentions one of the names. $1 patterns.
SELECT p.oid::regprocedure::text, l.lanname::text, coalesce(p.prosrc, '')
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE l.lanname IN ('sql', 'plpgsql') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'shoofly')
  AND p.prosrc ILIKE ANY ($1::text[])
ORDER BY 1
