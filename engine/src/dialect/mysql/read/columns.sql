SELECT column_name, column_type, data_type, is_nullable, column_default, character_set_name, collation_name, extra, column_comment
FROM information_schema.columns
WHERE table_schema = {database} AND table_name = {table}
ORDER BY ordinal_position
