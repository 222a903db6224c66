//! What MariaDB and MySQL have in common.

use std::collections::BTreeSet;
use std::env;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::error::SandboxError;
use crate::installation::{Installation, named};
use crate::product::Product;
use crate::server::Mode;
use crate::site::Site;

/// How long a server that has taken a connection may take to greet. It does so at once, unless it is still starting.
const GREETING: Duration = Duration::from_secs(1);
/// The version of the protocol, the first byte of every greeting.
const PROTOCOL: u8 = 10;

/// The account that the packages make.
pub(crate) const ACCOUNT: &str = "mysql";

/// The first server program of that product: the one that `variable` names, else one of `programs` in a usual folder.
pub(crate) fn find(
    product: Product,
    variable: &str,
    programs: &[&str],
    install: &str,
) -> Result<Installation, SandboxError> {
    if let Some(program) = named(variable) {
        return Installation::of_program(product, &program);
    }
    let folders = candidates();
    let paths = folders.iter().flat_map(|folder| programs.iter().map(|program| folder.join(program)));
    let found = paths.filter(|path| path.is_file()).find_map(|path| Installation::of_program(product, &path).ok());
    found.ok_or_else(|| SandboxError::NotInstalled {
        wanted: product.to_string(),
        looked: folders.iter().map(|folder| folder.display().to_string()).collect(),
        advice: format!("{install}, or set {variable} to the server program"),
    })
}

/// Folders that may hold programs of either; each once, existing ones only.
pub(crate) fn candidates() -> Vec<PathBuf> {
    let usual = [
        "/usr/sbin",
        "/usr/libexec",
        "/usr/bin",
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/local/mysql/bin",
        "/usr/local/mariadb/bin",
        "/opt/homebrew/opt/mysql/bin",
        "/opt/homebrew/opt/mariadb/bin",
        "/usr/local/opt/mysql/bin",
        "/usr/local/opt/mariadb/bin",
    ];
    let mut folders: Vec<PathBuf> = usual.map(PathBuf::from).to_vec();
    folders.extend(env::var_os("PATH").iter().flat_map(|path| env::split_paths(path).collect::<Vec<_>>()));
    let mut seen = BTreeSet::new();
    folders.retain(|folder| folder.is_dir() && seen.insert(folder.clone()));
    folders
}

/// The word after `Ver`, up to what the packager added.
pub(crate) fn version(said: &str) -> Option<&str> {
    let version = said.split_once(" Ver ")?.1.split_whitespace().next()?;
    version.split('-').next()
}

/// Where programs that were built for another place find their messages, character sets and plugins.
pub(crate) fn places(installation: &Installation) -> Vec<String> {
    let prefix = installation.prefix();
    let share = ["share/mysql", "share/mariadb", "share"].map(|below| prefix.join(below));
    let plugins = ["lib/mysql/plugin", "lib64/mysql/plugin", "lib/plugin"].map(|below| prefix.join(below));
    let mut arguments = Vec::new();
    if let Some(share) = share.iter().find(|folder| folder.join("english/errmsg.sys").is_file()) {
        arguments.push(format!("--lc-messages-dir={}", share.display()));
        arguments.push(format!("--character-sets-dir={}", share.join("charsets").display()));
    }
    arguments.extend(plugins.iter().find(|path| path.is_dir()).map(|path| format!("--plugin-dir={}", path.display())));
    arguments
}

/// Arguments of the site's options: `--name=value`, or `--name` where the value is empty.
pub(crate) fn wanted(site: &Site) -> impl Iterator<Item = String> {
    let settings = site.options.settings.iter();
    settings.map(|(name, value)| if value.is_empty() { format!("--{name}") } else { format!("--{name}={value}") })
}

/// Statements that make the superuser of the loopback interface. The one of the Unix socket exists and has no password.
pub(crate) fn superuser(site: &Site) -> String {
    let password = &site.password;
    format!(
        "CREATE USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}';\n\
         GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
    )
}

/// The server in the foreground, with the settings that both products know; durability is the server's default.
pub(crate) fn command(site: &Site) -> Command {
    let folder = site.folder();
    let mut command = site.installation.command();
    command.arg("--no-defaults").args(places(&site.installation));
    let paths: [(&str, &Path); 4] =
        [("datadir", &site.data()), ("socket", &socket(site)), ("pid-file", &folder.join("pid")), ("tmpdir", folder)];
    command.args(paths.map(|(name, path)| format!("--{name}={}", path.display())));
    command
        .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--server-id=1", "--log-bin=binlog"])
        .args(["--secure-file-priv=", "--innodb-buffer-pool-size=128M"])
        .arg(format!("--port={}", site.port));
    command
}

/// Whether the server greets whoever connects to the Unix socket. No other server can be behind it.
pub(crate) fn greets(site: &Site) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket(site)) else { return false };
    // Three bytes of length, one of number, and the first of the greeting (an error has another).
    let mut start = [0_u8; 5];
    let read = stream.set_read_timeout(Some(GREETING)).and_then(|()| stream.read_exact(&mut start));
    read.is_ok() && start[4] == PROTOCOL
}

pub(crate) fn signal(mode: Mode) -> Signal {
    match mode {
        Mode::Fast => Signal::TERM,
        Mode::Immediate => Signal::KILL,
    }
}

pub(crate) fn url(site: &Site, database: &str) -> String {
    format!("mysql://root:{}@127.0.0.1:{}/{database}", site.password, site.port)
}

pub(crate) fn socket_url(site: &Site, database: &str) -> String {
    let socket = socket(site).to_string_lossy().replace('/', "%2F");
    format!("mysql://root@localhost/{database}?socket={socket}")
}

fn socket(site: &Site) -> PathBuf {
    site.folder().join("socket")
}
