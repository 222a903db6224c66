-- A row where locks of others can be seen: the right to read them, and the instrument that keeps them.
SELECT i.enabled
FROM performance_schema.setup_instruments i
LEFT JOIN performance_schema.metadata_locks l ON FALSE
LEFT JOIN performance_schema.threads t ON FALSE
WHERE i.name = 'wait/lock/metadata/sql/mdl' AND i.enabled = 'YES'
