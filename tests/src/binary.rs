//! The command line as a child process.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The program, in a folder of its own, on one database.
#[derive(Debug)]
pub struct Binary {
    url: String,
    folder: TempDir,
}

/// How it ended and what it said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The program with its points of failure compiled in: the one that `SHOOFLY_TEST_BINARY` names, else built now.
///
/// # Panics
/// Where it does not compile.
pub fn path() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(given) = std::env::var_os("SHOOFLY_TEST_BINARY") {
            return PathBuf::from(given);
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "shoofly", "--features", "failpoints"])
            .current_dir(&workspace)
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(built.success(), "the command line does not compile");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        target.join("debug/shoofly")
    })
}

impl Binary {
    /// For the database at `url`, in an empty folder.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), folder: tempfile::tempdir().unwrap() }
    }

    /// The folder that it runs in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command with these arguments, ready to be changed and started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(path());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.url)
            .env_remove("SHOOFLY_ENV")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().unwrap())
    }

    /// Runs it, expecting this exit code.
    ///
    /// # Panics
    /// With what it said, where it ends otherwise.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(code), "shoofly {}\n{}{}", arguments.join(" "), said.out, said.err);
        said
    }

    /// Writes a file into its folder.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

impl Said {
    /// Fails unless it ended with this exit code and said these words on standard error, in any case.
    ///
    /// # Panics
    /// With what it said.
    #[track_caller]
    pub fn assert(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        for text in texts {
            assert!(self.err.to_lowercase().contains(&text.to_lowercase()), "{text:?} is missing from:\n{}", self.err);
        }
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
