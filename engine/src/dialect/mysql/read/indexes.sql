-- A part without a column is an expression. The primary key first.
SELECT index_name, non_unique, index_type, column_name, sub_part, collation
FROM information_schema.statistics
WHERE table_schema = {database} AND table_name = {table}
ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index
