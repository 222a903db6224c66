//! Errors → the documented exit codes, and their last words.

use std::process::ExitCode;

use shoofly_engine::{Error, Exit};

use crate::args::Format;
use crate::output;

/// The process's exit code.
pub(crate) fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

/// The class of an error: the engine's own, and *failed* for anything else.
pub(crate) fn class(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Error>().map_or(Exit::Failed, Error::exit)
}

/// Prints the error and gives its exit code.
pub(crate) fn report(error: &anyhow::Error, format: Format) -> ExitCode {
    let exit = class(error);
    output::error(error, exit, format);
    code(exit)
}
