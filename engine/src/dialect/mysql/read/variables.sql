-- Not every server has each of them.
SHOW GLOBAL VARIABLES WHERE variable_name IN (
    'binlog_format', 'innodb_read_only', 'innodb_snapshot_isolation', 'log_bin', 'log_bin_trust_function_creators',
    'lower_case_table_names', 'read_only', 'sql_mode', 'super_read_only', 'version', 'time_zone')
