-- The servers keep the text of a view with every table's full name in backticks.
SELECT table_schema, table_name
FROM information_schema.views
WHERE LOCATE(CAST({quoted} AS BINARY), CAST(view_definition AS BINARY)) > 0
ORDER BY table_schema, table_name
