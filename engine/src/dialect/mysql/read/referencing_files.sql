-- The same from the engine's own list, which opens no table (MariaDB). Names are those of files.
SELECT DISTINCT for_name
FROM information_schema.innodb_sys_foreign
WHERE CAST(ref_name AS BINARY) = CAST('{file}' AS BINARY)
ORDER BY for_name
