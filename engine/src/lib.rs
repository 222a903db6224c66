//! The engine of shoofly: intent → plan → effect, the first arrow pure.
//!
//! A migration ([`source`]) is read by a real parser ([`mod@sql`]) into operations ([`op`]); the planner of the database's kind
//! ([`dialect`]) turns them and the catalogue ([`schema`], [`facts`]) into a [`plan::Plan`] without touching anything; [`run`]
//! carries the plan out against a live database, through the [`backend`] for its kind.

pub mod backend;
pub mod dialect;
pub mod driver;
pub mod error;
pub mod event;
pub mod facts;
mod failpoint;
pub mod name;
pub mod op;
pub mod plan;
pub mod report;
pub mod run;
pub mod schema;
pub mod settings;
pub mod source;
pub mod sql;
pub mod text;
pub mod throttle;

pub use error::{Error, Exit, Problem};
pub use event::{Event, Events};
pub use plan::Plan;
pub use report::Report;
pub use run::Engine;
pub use settings::Settings;
pub use source::Migration;
