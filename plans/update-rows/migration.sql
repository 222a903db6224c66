UPDATE users SET status = 'active' WHERE status = 'new' AND logins > 0;
