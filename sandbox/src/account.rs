//! The account that a server runs as: none of them runs as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Doing, SandboxError};

/// Who server processes run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// Whoever runs this program.
    Own,
    /// Another one, because this program runs as root.
    Other { uid: u32, gid: u32 },
}

/// `nobody`, on every system that we know.
const NOBODY: (u32, u32) = (65534, 65534);

impl Account {
    /// Root hands over to `name`, or to `nobody` where there is no such account.
    pub(crate) fn choose(name: &str) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::Own;
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let (uid, gid) = ids(&passwd, name).or_else(|| ids(&passwd, "nobody")).unwrap_or(NOBODY);
        Self::Other { uid, gid }
    }

    /// Makes `command` run as this account.
    pub(crate) fn apply(self, command: &mut Command) {
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    /// Gives `path` to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), SandboxError> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => {
                chown(path, Some(uid), Some(gid)).doing(&format!("give {} to the server's account", path.display()))
            }
        }
    }

    /// The first folder on the way to `path` that this account cannot pass.
    pub(crate) fn barred_from(self, path: &Path) -> Option<PathBuf> {
        let Self::Other { uid, gid } = self else { return None };
        let path = path.canonicalize().ok()?;
        let passes = |folder: &&Path| match fs::metadata(folder) {
            Ok(found) if found.uid() == uid => found.mode() & 0o100 != 0,
            Ok(found) if found.gid() == gid => found.mode() & 0o010 != 0,
            Ok(found) => found.mode() & 0o001 != 0,
            Err(_) => false,
        };
        path.ancestors().find(|folder| !passes(folder)).map(Path::to_owned)
    }
}

fn ids(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_account_file() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104:a, b:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(ids(passwd, "postgres"), Some((101, 104)));
        assert_eq!(ids(passwd, "nobody"), None);
    }
}
