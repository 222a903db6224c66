//! The text of what is sent to MySQL and MariaDB. Knows SQL and no sockets.

pub mod by_rows;
pub mod check;
pub mod compare;
pub mod conflict;
pub mod dual;
pub mod files;
pub mod function;
pub mod health;
pub mod key;
pub mod literal;
pub mod lock;
pub mod look;
pub mod matrix;
pub mod names;
pub mod native;
pub mod planner;
pub mod repair;
pub mod rows;
pub mod shadow;
pub mod shape;
pub mod trigger;
pub mod unique;
pub mod value;
