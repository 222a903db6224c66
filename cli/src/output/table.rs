//! Tables for people.

use comfy_table::{ContentArrangement, Table, presets};

/// A table with these headings, without lines that would get into the way of `grep` and `awk`.
pub(crate) fn plain(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let drawn = plain(&["STATE", "NAME"], [vec!["ready".into(), "a".into()], vec!["complete".into(), "b".into()]]);
        assert_eq!(drawn, "STATE     NAME\nready     a\ncomplete  b");
    }
}
