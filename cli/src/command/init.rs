//! `init`: a commented configuration and the folder of migrations.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use anyhow::Context as _;
use shoofly_engine::Exit;

use super::Context;
use crate::settings::FILE;

/// What `init` writes. Everything in it is commented out: the defaults hold.
pub(crate) const TEMPLATE: &str = include_str!("init/shoofly.toml");

/// What was there and what was made.
#[derive(serde::Serialize)]
struct Made {
    created: Vec<String>,
    existing: Vec<String>,
}

/// Creates what is missing and leaves alone what is there.
pub(crate) fn run(cx: &Context) -> anyhow::Result<Exit> {
    let mut made = Made { created: Vec::new(), existing: Vec::new() };
    match OpenOptions::new().write(true).create_new(true).open(FILE) {
        Ok(mut file) => {
            file.write_all(TEMPLATE.as_bytes()).with_context(|| format!("could not write {FILE}"))?;
            made.created.push(FILE.to_owned());
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => made.existing.push(FILE.to_owned()),
        Err(error) => return Err(error).with_context(|| format!("could not create {FILE}")),
    }
    let dir = &cx.settings.dir;
    let shown = format!("{}/", dir.display());
    if dir.is_dir() {
        made.existing.push(shown);
    } else {
        std::fs::create_dir_all(dir).with_context(|| format!("could not create {shown}"))?;
        made.created.push(shown);
    }
    let mut lines: Vec<String> = made.created.iter().map(|what| format!("created {what}")).collect();
    lines.extend(made.existing.iter().map(|what| format!("exists  {what}")));
    cx.output.result(&lines.join("\n"), &made);
    cx.output.remark("next: `shoofly new NAME`, then `shoofly plan`");
    Ok(Exit::Done)
}
