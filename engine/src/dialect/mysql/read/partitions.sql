SELECT partition_name
FROM information_schema.partitions
WHERE table_schema = {database} AND table_name = {table} AND partition_name IS NOT NULL
GROUP BY partition_name
ORDER BY MIN(partition_ordinal_position)
