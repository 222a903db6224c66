//! For people: a moving line on a terminal, plain lines elsewhere.

mod line;
mod live;
mod steady;

pub(super) use live::Live;
pub(super) use steady::Lines;
