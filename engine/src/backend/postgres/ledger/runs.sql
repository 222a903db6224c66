-- Every run as one JSON text, oldest first. A run is held while some session has its advisory lock.
SELECT json_build_object(
           'run', r.id,
           'migration', r.migration,
           'checksum', r.checksum,
           'direction', r.direction,
           'state', r.state,
           'tables', coalesce((SELECT json_agg(json_build_object('schema', t.schema_name, 'name', t.table_name) ORDER BY t.schema_name, t.table_name)
                               FROM shoofly.run_table t WHERE t.run = r.id), '[]'),
           'steps_done', (SELECT count(*) FROM shoofly.step s WHERE s.run = r.id AND s.state = 'done'),
           'steps_total', steps.total,
           'current', steps.current,
           'blocks_done', coalesce(lanes.blocks_done, 0),
           'blocks_total', coalesce(lanes.blocks_total, 0),
           'rows_written', coalesce(lanes.rows_written, 0),
           'held_by', (SELECT r.holder || ' (backend ' || l.pid || ')' FROM pg_locks l
                       WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1397247814 AND l.objid = (r.id & 4294967295)::oid
                         AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                       LIMIT 1),
           'last_error', r.last_error,
           'began', to_char(r.began AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'ended', to_char(r.ended AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
       )::text
FROM shoofly.run r
CROSS JOIN LATERAL (
    SELECT count(*) AS total,
           (array_agg(planned ->> 'title' ORDER BY phase_no, step_no)
                FILTER (WHERE NOT EXISTS (SELECT FROM shoofly.step s
                                          WHERE s.run = r.id AND s.step = planned ->> 'id' AND s.state = 'done')))[1] AS current
    FROM json_array_elements(r.plan -> 'phases') WITH ORDINALITY AS phases(phase, phase_no)
    CROSS JOIN LATERAL json_array_elements(phase -> 'steps') WITH ORDINALITY AS steps(planned, step_no)
) AS steps
LEFT JOIN LATERAL (
    SELECT sum(l.next_block - l.from_block) AS blocks_done,
           sum(l.to_block - l.from_block)   AS blocks_total,
           sum(l.rows_written)              AS rows_written
    FROM shoofly.lane l WHERE l.run = r.id
) AS lanes ON true
ORDER BY r.id
