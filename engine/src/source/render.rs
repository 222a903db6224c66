//! Flaws as text for people: the place, the line, a caret, advice.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::sql::Flaw;

/// The flaw in `text`, without colours.
pub(super) fn flaw(shown: &str, text: &str, flaw: &Flaw) -> String {
    let range = within(text, &flaw.range);
    let title = Level::ERROR.primary_title(one_line(&flaw.what));
    let snippet = Snippet::source(text).path(shown).annotation(AnnotationKind::Primary.span(range));
    let mut group = title.element(snippet);
    if !flaw.advice.is_empty() {
        group = group.element(Level::HELP.message(one_line(&flaw.advice)));
    }
    Renderer::plain().render(&[group])
}

/// The range on character boundaries, inside the text and within one line.
fn within(text: &str, range: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(range.start);
    let end = boundary(range.end).max(start);
    let line = text[start..end].find(['\n', '\r']).map_or(end, |length| start + length);
    start..line
}

fn one_line(message: &str) -> String {
    message.replace(['\n', '\r'], " ")
}

/// The line on which byte `at` stands, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}
