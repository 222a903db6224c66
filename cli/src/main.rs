//! The `shoofly` command: arguments in, results on stdout, progress on stderr, a documented exit code.

mod args;
mod command;
mod dotenv;
mod exit;
mod logging;
mod output;
mod settings;
mod signals;
mod standing;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // Before anything else, so that `--version` and `--help` cost no runtime and no look at the configuration.
    let args = args::Args::parse();
    logging::install(args.verbose);
    // The only error is that another provider is installed already, which serves as well.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&anyhow::anyhow!("could not start: {error}"), args.format),
    };
    let format = args.format;
    match runtime.block_on(command::run(args)) {
        Ok(code) => exit::code(code),
        Err(error) => exit::report(&error, format),
    }
}
