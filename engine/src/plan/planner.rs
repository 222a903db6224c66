//! Operations and facts → plan. Pure.
