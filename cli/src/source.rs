//! Where migrations come from.

use std::path::Path;

use shoofly_engine::{Error, Migration};

use crate::settings::usage;

/// Every migration of a folder, in order.
pub(crate) fn folder(dir: &Path) -> Result<Vec<Migration>, Error> {
    Err(usage("cannot be read yet", &dir.display().to_string(), "", ""))
}

/// One file.
pub(crate) fn file(path: &Path) -> Result<Migration, Error> {
    Err(usage("cannot be read yet", &path.display().to_string(), "", ""))
}

/// One statement of the command line.
pub(crate) fn statement(_sql: &str) -> Result<Migration, Error> {
    Err(usage("cannot be read yet", "command line", "", ""))
}
