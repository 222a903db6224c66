-- Row security policies as comparable texts.
SELECT p.polrelid AS oid, json_agg(json_build_object(
    'name', p.polname,
    'definition', concat_ws(' ', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, 'FOR', p.polcmd::text, 'TO',
                            (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END, ', ' ORDER BY r::regrole::text COLLATE "C") FROM unnest(p.polroles) AS r),
                            'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
    'columns', to_json(ARRAY(SELECT DISTINCT a.attname FROM pg_depend d
                             JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                             WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass
                               AND d.refobjid = p.polrelid AND d.refobjsubid <> 0 ORDER BY 1))) ORDER BY p.polname)::text
FROM pg_policy p
WHERE p.polrelid = ANY ($1::oid[])
GROUP BY p.polrelid
