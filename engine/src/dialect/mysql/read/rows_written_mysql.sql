-- Partitions count for themselves.
SELECT SUM(modified_counter)
FROM information_schema.innodb_tablestats
WHERE SUBSTRING_INDEX(CAST(name AS BINARY), '#', 1) = CAST('{file}' AS BINARY)
