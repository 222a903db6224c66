//! `new`: a migration file with the sections in place.

use std::fs::OpenOptions;
use std::io::Write;

use anyhow::Context as _;
use shoofly_engine::Exit;

use super::Context;
use crate::settings::usage;

const TEMPLATE: &str = "\
-- migrate:up

-- migrate:down

";

/// Creates the file and prints its path.
pub(crate) fn run(cx: &Context, name: &str) -> anyhow::Result<Exit> {
    let slug = slug(name);
    if slug.is_empty() {
        let advice = "say in a few words what the migration does: `shoofly new 'widen orders.id'`";
        return Err(usage("the name has no letters or digits", "command line", "", advice).into());
    }
    let now = jiff::Timestamp::now().strftime("%Y%m%d%H%M%S");
    let dir = &cx.settings.dir;
    std::fs::create_dir_all(dir).with_context(|| format!("could not create {}", dir.display()))?;
    let path = dir.join(format!("{now}_{slug}.sql"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| format!("could not create {}", path.display()))?;
    file.write_all(TEMPLATE.as_bytes()).with_context(|| format!("could not write {}", path.display()))?;
    let shown = path.display().to_string();
    cx.output.result(&shown, &serde_json::json!({ "created": shown }));
    Ok(Exit::Done)
}

/// `Widen orders.id!` → `widen_orders_id`
fn slug(name: &str) -> String {
    let spaced: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_become_file_names() {
        assert_eq!(slug("Widen orders.id!"), "widen_orders_id");
        assert_eq!(slug("  ../x "), "x");
        assert_eq!(slug("!"), "");
    }
}
