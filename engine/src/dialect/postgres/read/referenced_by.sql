-- Foreign keys that point to the table.
SELECT k.confrelid AS oid, json_agg(f.value ORDER BY k.conrelid::regclass::text COLLATE "C", k.conname)::text
FROM pg_constraint k CROSS JOIN LATERAL ({foreign_key}) AS f
WHERE k.contype = 'f' AND k.confrelid = ANY ($1::oid[]) AND k.conparentid = 0
GROUP BY k.confrelid
