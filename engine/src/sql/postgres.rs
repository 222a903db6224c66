//! PostgreSQL SQL, read with a lossless parser.
