//! Logs: only when asked for, to stderr, without colours when that is not a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Installs the subscriber where `-v` or `RUST_LOG` asks for logs.
pub(crate) fn install(verbose: u8) {
    let asked = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = match (asked, verbose) {
        (Some(filter), _) => filter,
        (None, 0) => return,
        (None, 1) => "shoofly=info,shoofly_engine=info".to_owned(),
        (None, 2) => "shoofly=debug,shoofly_engine=debug".to_owned(),
        (None, _) => "trace".to_owned(),
    };
    let stderr = std::io::stderr();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(std::io::stderr)
        .init();
}
