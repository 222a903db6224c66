SELECT constraint_name
FROM information_schema.table_constraints
WHERE table_schema = {database} AND table_name = {table} AND constraint_type = 'CHECK'
ORDER BY constraint_name
