-- NULL where tables are not counted: whoever asks has read this one. InnoDB's own count would lock every table of the server for
-- a moment, and wait for those that are locked.
SELECT IF(count_read > 0, count_write, NULL)
FROM performance_schema.table_io_waits_summary_by_table
WHERE object_type = 'TABLE' AND object_schema = {database} AND object_name = {table}
