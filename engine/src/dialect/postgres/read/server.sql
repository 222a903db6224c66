-- The server and what the connected role may do there.
SELECT json_build_object(
    'version', current_setting('server_version_num')::int,
    'database', current_database(),
    'role', current_user,
    'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    'standby', pg_is_in_recovery(),
    'may_silence_triggers', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR {may_set},
    'deadlock_timeout_ms', (SELECT setting::bigint FROM pg_settings WHERE name = 'deadlock_timeout'),
    'block_size', current_setting('block_size')::int,
    'logical_wal', current_setting('wal_level') = 'logical')::text
