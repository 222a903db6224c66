//! One table at the end.

use comfy_table::{Table, presets};

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// Figures in the order in which they were measured.
#[derive(Debug)]
pub(crate) struct Report {
    head: String,
    rows: Vec<[String; 4]>,
}

impl Report {
    /// Nothing yet, under a line that says what was measured.
    pub(crate) fn new(head: String) -> Self {
        Self { head, rows: Vec::new() }
    }

    /// A word of progress.
    #[expect(clippy::print_stderr, clippy::unused_self, reason = "a program that prints what it measures")]
    pub(crate) fn say(&self, text: &str) {
        eprintln!("{text} …");
    }

    /// Figures without a goal.
    pub(crate) fn row(&mut self, name: &str, figures: &str) {
        self.rows.push([name.to_owned(), figures.to_owned(), String::new(), String::new()]);
    }

    /// A figure with its goal.
    pub(crate) fn ratio(&mut self, name: &str, figure: f64, goal: Goal) {
        let (text, met) = match goal {
            Goal::AtLeast(least) => (format!("≥ {least}"), figure >= least),
            Goal::AtMost(most) => (format!("≤ {most}"), figure <= most),
        };
        let verdict = if met { "met" } else { "not met" };
        self.rows.push([name.to_owned(), format!("{figure:.2}"), text, verdict.to_owned()]);
    }

    /// Prints everything.
    #[expect(clippy::print_stdout, reason = "a program that prints what it measures")]
    pub(crate) fn print(&self) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["", "measured", "goal", ""]);
        for row in &self.rows {
            table.add_row(row);
        }
        println!("{}\n{table}", self.head);
    }
}
