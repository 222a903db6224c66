//! PostgreSQL: one function per statement, its lock in its doc comment; long reads in `.sql` files.
