-- What depends on the table or a column of it and would be in the way: views and rules (by their rewrite rule), generated
-- columns, policies, triggers that name a column, SQL-standard function bodies, publication lists, views grouped by a key,
-- whatever uses an identity's sequence (which goes with the identity), security labels,
-- expressions over the whole row (they use every column, but the server only notes the table).
WITH found AS (
    SELECT d.refobjid AS oid, d.refobjsubid AS num, NULL::oid AS con,
           CASE v.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'rule' END AS kind,
           CASE WHEN v.relkind IN ('v', 'm') THEN v.oid::regclass::text ELSE pg_describe_object(d.classid, d.objid, 0) END AS name
    FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
      AND NOT (v.oid = d.refobjid AND d.deptype = 'i')
    UNION ALL
    SELECT k.conrelid, 0, k.oid, 'view', v.oid::regclass::text
    FROM pg_depend d JOIN pg_constraint k ON k.oid = d.refobjid JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_constraint'::regclass AND k.conrelid = ANY ($1::oid[])
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, NULL, 'generated column', a.attname
    FROM pg_depend d JOIN pg_attrdef e ON e.oid = d.objid JOIN pg_attribute a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
      AND a.attgenerated <> '' AND d.refobjid = e.adrelid AND d.refobjsubid <> e.adnum
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, NULL, 'generated column', a.attname
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
      AND d.objid = d.refobjid AND d.objsubid <> 0 AND a.attgenerated <> '' AND d.refobjsubid <> d.objsubid
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, NULL, 'policy', p.polname || ' on ' || p.polrelid::regclass::text
    FROM pg_depend d JOIN pg_policy p ON p.oid = d.objid
    WHERE d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
      AND (d.refobjsubid <> 0 OR p.polrelid <> d.refobjid)
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, NULL, 'trigger', t.tgname
    FROM pg_depend d JOIN pg_trigger t ON t.oid = d.objid
    WHERE d.classid = 'pg_trigger'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
      AND d.refobjsubid <> 0 AND NOT t.tgisinternal
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, NULL, 'function', d.objid::regprocedure::text
    FROM pg_depend d
    WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
    UNION ALL
    SELECT d.refobjid, d.refobjsubid, NULL, 'publication', p.pubname
    FROM pg_depend d JOIN pg_publication_rel pr ON pr.oid = d.objid JOIN pg_publication p ON p.oid = pr.prpubid
    WHERE d.classid = 'pg_publication_rel'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
      AND d.refobjsubid <> 0
    UNION ALL
    SELECT o.refobjid, o.refobjsubid, NULL, p.type, p.identity
    FROM pg_depend o JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.objid AND d.deptype = 'n'
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS p
    WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass AND o.refobjid = ANY ($1::oid[])
      AND o.refobjsubid <> 0 AND o.deptype = 'i'
    UNION ALL
    SELECT k.conrelid, a.attnum, NULL, 'whole-row constraint', k.conname
    FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE k.contype = 'c' AND k.conbin::text LIKE '%:varattno 0 %' AND k.conrelid = ANY ($1::oid[])
    UNION ALL
    SELECT i.indrelid, a.attnum, NULL, 'whole-row index', i.indexrelid::regclass::text
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE concat(i.indexprs, i.indpred) LIKE '%:varattno 0 %' AND i.indrelid = ANY ($1::oid[])
    UNION ALL
    SELECT l.objoid, l.objsubid, NULL, 'security label', l.provider || ' ' || l.label
    FROM pg_seclabel l
    WHERE l.classoid = 'pg_class'::regclass AND l.objoid = ANY ($1::oid[])
)
SELECT f.oid, json_agg(DISTINCT jsonb_build_object(
    'kind', f.kind, 'name', f.name,
    'column', (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = f.oid AND a.attnum = f.num AND f.num <> 0),
    'constraint', (SELECT k.conname FROM pg_constraint k WHERE k.oid = f.con)))::text
FROM found f
GROUP BY f.oid
