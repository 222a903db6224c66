-- In the order in which they fire.
SELECT trigger_name, action_timing, event_manipulation, sql_mode,
       action_statement, definer, character_set_client, collation_connection
FROM information_schema.triggers
WHERE event_object_schema = {database} AND event_object_table = {table}
ORDER BY FIELD(event_manipulation, 'INSERT', 'UPDATE', 'DELETE'), FIELD(action_timing, 'BEFORE', 'AFTER'), action_order
