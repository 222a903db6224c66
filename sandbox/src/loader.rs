//! Programs of another system's root folder, run with the dynamic loader and the libraries that lie in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A dynamic loader and the folders of its libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loader {
    program: PathBuf,
    libraries: Vec<PathBuf>,
}

impl Loader {
    /// The loader of the root folder that `program` lies in (`ROOT/usr/sbin/…`); none for a program of this system.
    pub(crate) fn beside(program: &Path) -> Option<Self> {
        let usr = program.parent()?.parent().filter(|folder| folder.ends_with("usr"))?;
        let root = usr.parent().filter(|root| root.parent().is_some())?;
        let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let lib = usr.join("lib");
        let mut libraries: Vec<PathBuf> = entries(lib.clone()).filter(|folder| is_triplet(folder)).collect();
        // `lib64` of a root folder may be a link to an absolute path, which would be this system's: only real folders count.
        let places = libraries.iter().cloned().chain([usr.join("lib64"), root.join("lib64"), lib.clone()]);
        let program = places
            .filter(|folder| folder.symlink_metadata().is_ok_and(|found| found.is_dir()))
            .flat_map(entries)
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux")))?;
        libraries.push(lib.join("mysql/private"));
        libraries.retain(|folder| folder.is_dir());
        Some(Self { program, libraries })
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.program);
        let path: Vec<_> = self.libraries.iter().map(|folder| folder.to_string_lossy()).collect();
        command.args(["--library-path", &path.join(":")]).arg(program);
        command
    }
}

/// `x86_64-linux-gnu`, `aarch64-linux-gnu`
fn is_triplet(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-linux-gnu"))
}
