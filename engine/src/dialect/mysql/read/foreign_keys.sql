-- Those that the table holds, a row for each column. Both sides are bound to constants: MariaDB opens every table otherwise.
SELECT r.constraint_name, k.referenced_table_schema, k.referenced_table_name, r.update_rule, r.delete_rule, k.column_name,
       k.referenced_column_name
FROM information_schema.referential_constraints r
JOIN information_schema.key_column_usage k ON k.constraint_name = r.constraint_name
WHERE r.constraint_schema = {database} AND r.table_name = {table}
  AND k.table_schema = {database} AND k.table_name = {table} AND k.referenced_table_name IS NOT NULL
ORDER BY r.constraint_name, k.ordinal_position
