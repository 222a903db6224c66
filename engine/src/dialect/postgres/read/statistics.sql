-- Extended statistics objects.
SELECT s.stxrelid AS oid, json_agg(json_build_object(
    'name', json_build_object('schema', n.nspname, 'name', s.stxname),
    'definition', pg_get_statisticsobjdef(s.oid),
    'columns', to_json(ARRAY(SELECT DISTINCT a.attname FROM pg_attribute a
                             WHERE a.attrelid = s.stxrelid AND a.attnum > 0 AND (a.attnum = ANY (s.stxkeys::int2[]) OR EXISTS (
                                 SELECT FROM pg_depend d WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
                                   AND d.refclassid = 'pg_class'::regclass AND d.refobjid = s.stxrelid AND d.refobjsubid = a.attnum))
                             ORDER BY 1)),
    'target', nullif((to_jsonb(s) ->> 'stxstattarget')::int, -1),
    'comment', obj_description(s.oid, 'pg_statistic_ext')) ORDER BY n.nspname, s.stxname)::text
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = ANY ($1::oid[])
GROUP BY s.stxrelid
