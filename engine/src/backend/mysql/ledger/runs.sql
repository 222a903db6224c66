SELECT r.id, r.migration, r.checksum, r.state, r.direction, r.plan,
       (SELECT COUNT(*) FROM shoofly.step s WHERE s.run = r.id AND s.state = 'done'),
       (SELECT GROUP_CONCAT(s.step SEPARATOR '\n') FROM shoofly.step s WHERE s.run = r.id AND s.state = 'done'),
       (SELECT COALESCE(SUM(l.rows_done), 0) FROM shoofly.lane l WHERE l.run = r.id),
       (SELECT COALESCE(MAX(l.rows_total), 0) FROM shoofly.lane l WHERE l.run = r.id),
       (SELECT COALESCE(SUM(l.rows_written), 0) FROM shoofly.lane l WHERE l.run = r.id),
       -- The lock's owner, and not what is written down: a killed process writes nothing.
       IF(IS_USED_LOCK(CONCAT('shoofly.run.', r.id)) IS NULL, NULL, COALESCE(r.holder, 'somebody')),
       r.last_error,
       DATE_FORMAT(r.began, '%Y-%m-%dT%H:%i:%s.%fZ'),
       DATE_FORMAT(r.ended, '%Y-%m-%dT%H:%i:%s.%fZ'),
       (SELECT GROUP_CONCAT(CONCAT(HEX(t.table_schema), '.', HEX(t.table_name)) ORDER BY t.table_schema, t.table_name SEPARATOR ' ')
        FROM shoofly.run_table t WHERE t.run = r.id)
FROM shoofly.run r
ORDER BY r.id
