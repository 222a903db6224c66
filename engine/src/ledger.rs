//! shoofly's own tables in the target database.
