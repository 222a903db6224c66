-- That of a column is part of its definition and has no name of its own.
SELECT constraint_name
FROM information_schema.check_constraints
WHERE constraint_schema = {database} AND table_name = {table} AND level = 'Table'
ORDER BY constraint_name
