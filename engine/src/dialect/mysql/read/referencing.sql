-- Tables that hold foreign keys to this one.
SELECT DISTINCT constraint_schema, table_name
FROM information_schema.referential_constraints
WHERE unique_constraint_schema = {database} AND referenced_table_name = {table}
ORDER BY constraint_schema, table_name
