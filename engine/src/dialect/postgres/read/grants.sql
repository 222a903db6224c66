-- Grants on the whole table.
SELECT c.oid, json_agg(json_build_object(
    'grantee', CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END,
    'privilege', g.privilege_type, 'grantable', g.is_grantable, 'grantor', pg_get_userbyid(g.grantor))
    ORDER BY g.grantee::regrole::text COLLATE "C", g.privilege_type, g.grantor::regrole::text COLLATE "C")::text
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS g
WHERE c.oid = ANY ($1::oid[])
GROUP BY c.oid
