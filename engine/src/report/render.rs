//! A report as text: the plan, with who is in the way and what to reckon with before its phases.

use std::fmt::Write;

use super::{InTheWay, Now, Report, SeenLock, Sight, locked};
use crate::name::QualifiedName;
use crate::plan::Plan;
use crate::plan::render::{Page, with};

/// The report for people, as wide as a plan.
#[must_use]
pub fn render(report: &Report) -> String {
    with(&report.plan, |page| {
        if report.plan.phases.is_empty() {
            return;
        }
        locks(page, report);
        if !report.forecast.is_empty() {
            page.heading("to reckon with");
            for forecast in &report.forecast {
                page.wrapped(2, 13, &format!("{:<10} {}", forecast.topic.word(), forecast.text));
            }
        }
    })
}

fn locks(page: &mut Page, report: &Report) {
    let now = &report.now;
    page.heading("locks now");
    match &now.sight {
        Sight::Locks => {
            if now.sessions.is_empty() {
                page.wrapped(2, 4, &nobody(&report.plan, now));
            }
        }
        Sight::Transactions { why, advice } => {
            unseen(page, why, advice);
            let open = match now.sessions.len() + now.more {
                0 => "no transaction of anybody else's is older than a second",
                1 => "one transaction is older than a second; it may hold locks here:",
                _ => "these transactions are older than a second; they may hold locks here:",
            };
            page.line(2, open);
        }
        Sight::Nothing { why, advice } => unseen(page, why, advice),
    }
    for session in &now.sessions {
        one(page, session);
    }
    if now.more > 0 {
        page.line(2, &format!("and {} more, younger ones", now.more));
    }
}

fn unseen(page: &mut Page, why: &str, advice: &str) {
    page.wrapped(2, 4, &format!("cannot be seen: {why}"));
    page.wrapped(4, 9, &format!("do:  {advice}"));
}

/// Everybody whom the steps could meet was looked for.
fn nobody(plan: &Plan, now: &Now) -> String {
    let steps = locked(plan);
    let is_there = |name: &QualifiedName| now.tables.iter().any(|known| known.table == *name);
    let tables: Vec<String> = steps.iter().filter(|(name, _)| is_there(name)).map(|(name, _)| name.display()).collect();
    let on = if tables.is_empty() { "them".to_owned() } else { tables.join(", ") };
    format!("nobody is in the way: no other session holds a lock on {on} or waits for one")
}

fn one(page: &mut Page, session: &InTheWay) {
    let mut who = match session.connection {
        Some(number) => format!("{:<12} {}", format!("session {number}"), session.user),
        None => format!("{:<12} {}", "prepared", session.user),
    };
    if !session.program.is_empty() {
        let _infallible = write!(who, " ({})", session.program);
    }
    if !session.state.is_empty() {
        let _infallible = write!(who, ", {}", session.state);
    }
    if let Some(age) = session.transaction_age {
        let _infallible = write!(who, ", in a transaction for {}", time(age));
    }
    page.wrapped(2, 15, &who);
    let (waited_for, held): (Vec<&SeenLock>, Vec<&SeenLock>) = session.locks.iter().partition(|lock| lock.waited_for);
    if !held.is_empty() {
        page.wrapped(15, 21, &format!("holds {}", list(&held)));
    }
    if !waited_for.is_empty() {
        page.wrapped(15, 21, &format!("waits for {}", list(&waited_for)));
    }
    if !session.statement.is_empty() {
        let what = if session.state.starts_with("idle") { "last " } else { "runs " };
        page.wrapped(15, 21, &format!("{what} {}", session.statement));
    }
}

fn list(locks: &[&SeenLock]) -> String {
    let one = |lock: &&SeenLock| match &lock.relation {
        Some(relation) => format!("{} on {}", lock.mode, relation.display()),
        None => format!("{} (the server does not tell on what)", lock.mode),
    };
    locks.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A length of time in seconds: `0.4 s`, `42 s`, `2 min 05 s`, `3 h 07 min`.
fn time(seconds: f64) -> String {
    let whole = seconds.max(0.0).floor();
    let part = |unit: f64, within: f64| (whole / unit).floor() % within;
    match seconds {
        s if s < 10.0 => format!("{:.1} s", s.max(0.0)),
        s if s < 60.0 => format!("{whole:.0} s"),
        s if s < 3600.0 => format!("{:.0} min {:02.0} s", part(60.0, 60.0), part(1.0, 60.0)),
        _ => format!("{:.0} h {:02.0} min", (whole / 3600.0).floor(), part(60.0, 60.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_well() {
        for (seconds, text) in
            [(-0.1, "0.0 s"), (0.44, "0.4 s"), (42.9, "42 s"), (125.0, "2 min 05 s"), (11_220.0, "3 h 07 min")]
        {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn a_session_is_a_few_lines() {
        let name = |text: &str| text.parse().unwrap();
        let lock = |mode: &str, relation, waited_for| SeenLock { relation, mode: mode.to_owned(), waited_for };
        let session = InTheWay {
            connection: Some(4711),
            user: "app@10.0.0.5".to_owned(),
            program: "billing".to_owned(),
            state: "idle".to_owned(),
            transaction_age: Some(125.0),
            statement: "SELECT 1".to_owned(),
            locks: vec![
                lock("SHARED_READ", Some(QualifiedName::new(name("shop"), name("orders"))), false),
                lock("a metadata lock", None, true),
            ],
        };
        let mut page = Page::default();
        one(&mut page, &session);
        assert_eq!(
            page.text,
            "  session 4711 app@10.0.0.5 (billing), idle, in a transaction for 2 min 05 s\n               \
             holds SHARED_READ on shop.orders\n               \
             waits for a metadata lock (the server does not tell on what)\n               \
             last  SELECT 1\n"
        );
    }
}
