-- Everything that the catalogue says about the user's objects, one line each, without oids and column numbers.
-- Parameter 1: schemas that are not the user's.
WITH spaces AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspname <> ALL ($1::text[])
),
relations AS (SELECT c.*, format('%I.%I', s.nspname, c.relname) AS name FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace),
grants AS (
    SELECT oid, string_agg(item, ',' ORDER BY item) AS list
    FROM (SELECT r.oid, unnest(r.relacl)::text AS item FROM relations r) items GROUP BY oid
)
SELECT format('relation %s kind=%s persistence=%s owner=%s acl=[%s] options=%s identity=%s rls=%s/%s space=%s am=%s partition=%s of=%s comment=%s',
        r.name, r.relkind, r.relpersistence, pg_get_userbyid(r.relowner), g.list, r.reloptions,
        r.relreplident, r.relrowsecurity, r.relforcerowsecurity, t.spcname, a.amname,
        pg_get_expr(r.relpartbound, r.oid), NULLIF(r.reloftype, 0)::regtype, obj_description(r.oid, 'pg_class'))
FROM relations r LEFT JOIN grants g ON g.oid = r.oid
LEFT JOIN pg_tablespace t ON t.oid = r.reltablespace LEFT JOIN pg_am a ON a.oid = r.relam
UNION ALL
SELECT format('column %s.%I %s collation=%s null=%s default=%s identity=%s generated=%s statistics=%s storage=%s compression=%s options=%s acl=[%s] local=%s/%s comment=%s',
        r.name, a.attname, format_type(a.atttypid, a.atttypmod), NULLIF(a.attcollation, 0)::regcollation, NOT a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, NULLIF(a.attstattarget, -1), a.attstorage,
        a.attcompression, a.attoptions,
        (SELECT string_agg(item::text, ',' ORDER BY item::text) FROM unnest(a.attacl) item),
        a.attislocal, a.attinhcount, col_description(r.oid, a.attnum))
FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
UNION ALL
SELECT format('constraint %s.%I type=%s %s validated=%s deferrable=%s/%s local=%s/%s noinherit=%s index=%s columns=%s references=%s comment=%s',
        r.name, c.conname, c.contype, pg_get_constraintdef(c.oid), c.convalidated, c.condeferrable, c.condeferred,
        c.conislocal, c.coninhcount, c.connoinherit, NULLIF(c.conindid, 0)::regclass,
        (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k (number, n)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
            WHERE c.contype <> 'c'),
        (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k (number, n)
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number),
        obj_description(c.oid, 'pg_constraint'))
FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid
UNION ALL
SELECT format('index %s valid=%s/%s/%s unique=%s primary=%s immediate=%s clustered=%s identity=%s exclusion=%s nulls=%s statistics=%s constraint=%s columns=%s %s',
        r.name, i.indisvalid, i.indisready, i.indislive, i.indisunique, i.indisprimary, i.indimmediate, i.indisclustered,
        i.indisreplident, i.indisexclusion, to_jsonb(i) -> 'indnullsnotdistinct',
        (SELECT string_agg(format('%s=%s', a.attnum, a.attstattarget), ',' ORDER BY a.attnum) FROM pg_attribute a
            WHERE a.attrelid = r.oid AND a.attstattarget >= 0),
        (SELECT c.conname FROM pg_depend d JOIN pg_constraint c ON c.oid = d.refobjid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_constraint'::regclass
            AND d.deptype = 'i'),
        (SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = r.oid),
        pg_get_indexdef(r.oid))
FROM relations r JOIN pg_index i ON i.indexrelid = r.oid
UNION ALL
SELECT format('trigger %s %s enabled=%s comment=%s', r.name, pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT format('constraint trigger %s %s %s type=%s enabled=%s deferrable=%s/%s', r.name, c.conname, t.tgfoid::regproc, t.tgtype,
        t.tgenabled, t.tgdeferrable, t.tginitdeferred)
FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid JOIN pg_constraint c ON c.oid = t.tgconstraint WHERE t.tgisinternal
UNION ALL
SELECT format('sequence %s %s start=%s by=%s min=%s max=%s cache=%s cycle=%s owner=%s', r.name, format_type(q.seqtypid, NULL),
        q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle,
        (SELECT format('%s.%I (%s)', d.refobjid::regclass, a.attname, d.deptype) FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i')))
FROM relations r JOIN pg_sequence q ON q.seqrelid = r.oid
UNION ALL
SELECT format('view %s %s', r.name, pg_get_viewdef(r.oid)) FROM relations r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT format('rule %s %s', r.name, pg_get_ruledef(w.oid)) FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class
UNION ALL
SELECT format('policy %s %I %s %s roles=%s using=%s check=%s', r.name, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[],
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN relations r ON r.oid = p.polrelid
UNION ALL
-- The server prints columns in the table's order, which is not compared.
SELECT format('statistics %I.%I on %s columns=%s expressions=%s kinds=%s owner=%s target=%s comment=%s', n.nspname, s.stxname,
        s.stxrelid::regclass,
        (SELECT string_agg(a.attname, ',' ORDER BY a.attname) FROM unnest(s.stxkeys::int2[]) k
            JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k),
        pg_get_expr(s.stxexprs, s.stxrelid), s.stxkind, pg_get_userbyid(s.stxowner), NULLIF(s.stxstattarget, -1),
        obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN spaces n ON n.oid = s.stxnamespace
UNION ALL
SELECT format('inheritance %s of %s', i.inhrelid::regclass, i.inhparent::regclass)
FROM pg_inherits i JOIN relations r ON r.oid = i.inhrelid
UNION ALL
SELECT format('publication %I of %s columns=%s where=%s', p.pubname, r.name,
        (SELECT string_agg(a.attname, ',' ORDER BY a.attname) FROM unnest(m.prattrs::int2[]) k
            JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k),
        pg_get_expr(m.prqual, m.prrelid))
FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid JOIN relations r ON r.oid = m.prrelid
UNION ALL
SELECT format('function %s acl=%s', pg_get_functiondef(f.oid), f.proacl)
FROM pg_proc f JOIN spaces s ON s.oid = f.pronamespace WHERE f.prokind IN ('f', 'p')
UNION ALL
SELECT format('type %I.%I kind=%s base=%s labels=%s', s.nspname, t.typname, t.typtype, NULLIF(t.typbasetype, 0)::regtype,
        (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace
UNION ALL
SELECT format('schema %I acl=%s', s.nspname, n.nspacl) FROM spaces s JOIN pg_namespace n ON n.oid = s.oid
UNION ALL
SELECT format('event trigger %I', evtname) FROM pg_event_trigger
