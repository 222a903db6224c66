-- The user's triggers; those that constraints make for themselves are left out. tgtype: 1 row, 2 before, 16 update, 64 instead.
SELECT t.tgrelid AS oid, json_agg(json_build_object(
    'name', t.tgname,
    'definition', pg_get_triggerdef(t.oid),
    'timing', CASE WHEN t.tgtype & 64 <> 0 THEN 'INSTEAD OF' WHEN t.tgtype & 2 <> 0 THEN 'BEFORE' ELSE 'AFTER' END,
    'for_each_row', t.tgtype & 1 <> 0,
    'on_update', t.tgtype & 16 <> 0,
    'update_of', to_json(ARRAY(SELECT a.attname FROM unnest(t.tgattr::int2[]) WITH ORDINALITY AS k(num, at)
                               JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = k.num ORDER BY k.at)),
    'enabled', t.tgenabled,
    'comment', obj_description(t.oid, 'pg_trigger')) ORDER BY t.tgname)::text
FROM pg_trigger t
WHERE t.tgrelid = ANY ($1::oid[]) AND NOT t.tgisinternal
GROUP BY t.tgrelid
