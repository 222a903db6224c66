UPDATE customers SET email_lower = LOWER(email);
