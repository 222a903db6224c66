SELECT table_schema, table_name, table_type, engine, row_format, table_collation, table_comment, auto_increment, table_rows,
       data_length, index_length
FROM information_schema.tables
WHERE table_schema = {database} AND table_name = {table}
