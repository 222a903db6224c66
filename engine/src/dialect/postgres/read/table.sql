-- The table itself, without what is attached to it. $1 oids.
SELECT c.oid, json_build_object(
    'oid', c.oid::bigint,
    'name', json_build_object('schema', n.nspname, 'name', c.relname),
    'kind', CASE c.relkind WHEN 'r' THEN 'ordinary' WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' ELSE 'other' END,
    'owner', pg_get_userbyid(c.relowner),
    'owned_by_us', pg_has_role(c.relowner, 'USAGE'),
    'schema_open_to_us', has_schema_privilege(n.oid, 'CREATE'),
    'unlogged', c.relpersistence = 'u',
    'partition_key', pg_get_partkeydef(c.oid),
    'parents', coalesce((SELECT json_agg(json_build_object('schema', pn.nspname, 'name', p.relname) ORDER BY i.inhseqno)
                         FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
                         WHERE i.inhrelid = c.oid), '[]'),
    'children', coalesce((SELECT json_agg(json_build_object('schema', cn.nspname, 'name', h.relname) ORDER BY cn.nspname, h.relname)
                          FROM pg_inherits i JOIN pg_class h ON h.oid = i.inhrelid JOIN pg_namespace cn ON cn.oid = h.relnamespace
                          WHERE i.inhparent = c.oid), '[]'),
    'of_type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
    'row_security', json_build_object('enabled', c.relrowsecurity, 'forced', c.relforcerowsecurity),
    'comment', obj_description(c.oid, 'pg_class'),
    'replica_identity', CASE c.relreplident
        WHEN 'd' THEN to_json('default'::text) WHEN 'f' THEN to_json('full'::text) WHEN 'n' THEN to_json('nothing'::text)
        -- An index that was dropped leaves nothing.
        ELSE coalesce((SELECT json_build_object('index', x.relname) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                       WHERE i.indrelid = c.oid AND i.indisreplident), to_json('nothing'::text)) END,
    'options', to_json(ARRAY(SELECT unnest(c.reloptions) UNION ALL
                             SELECT 'toast.' || unnest(t.reloptions) FROM pg_class t WHERE t.oid = c.reltoastrelid ORDER BY 1)),
    'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace),
    'access_method', (SELECT amname FROM pg_am WHERE oid = c.relam),
    'blocks', coalesce(pg_relation_size(c.oid) / current_setting('block_size')::bigint, 0),
    'total_bytes', coalesce(pg_total_relation_size(c.oid), 0),
    'estimated_rows', greatest(c.reltuples, 0)::bigint)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[])
