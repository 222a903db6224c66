-- Partitions count for themselves.
SELECT MAX(total_row_versions)
FROM information_schema.innodb_tables
WHERE SUBSTRING_INDEX(CAST(name AS BINARY), '#', 1) = CAST('{file}' AS BINARY)
