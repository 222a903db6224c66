//! Is everything as it should be? What is asked of every server; how it is asked is each product's own.

use serde::Serialize;

use crate::output::text;

/// Something that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// What should be so.
    pub(super) claim: String,
    /// Why it is not; empty where it is.
    pub(super) against: Vec<String>,
}

/// The keys of the table that was changed.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// Rows.
    pub(super) rows: i64,
    /// Keys that differ.
    pub(super) distinct: i64,
    /// The least key.
    pub(super) least: Option<i64>,
    /// The greatest.
    pub(super) most: Option<i64>,
    /// Their type.
    pub(super) data_type: String,
}

impl Check {
    /// Whether it is so.
    pub(super) fn holds(&self) -> bool {
        self.against.is_empty()
    }

    /// A claim that holds where `against` is empty.
    pub(super) fn new(claim: impl Into<String>, against: Vec<String>) -> Self {
        Self { claim: claim.into(), against }
    }

    /// A claim with the only reason against it, should there be one.
    pub(super) fn unless(claim: impl Into<String>, against: Option<String>) -> Self {
        Self::new(claim, against.into_iter().collect())
    }

    /// The bank's books: every change of a balance is in four places, of which these are the sums.
    pub(super) fn books(sums: &[Option<i64>]) -> Self {
        let same = sums.windows(2).all(|pair| pair[0] == pair[1]);
        let claim = "the books balance: accounts, tellers, branches and history have the same sum";
        Self::unless(claim, (!same).then(|| format!("the sums are {sums:?}")))
    }

    /// Every account is there once, with a key of the new type.
    pub(super) fn keys(found: &Keys, accounts: u64) -> anyhow::Result<Self> {
        let Keys { rows, distinct, least, most, data_type } = found;
        let wanted = i64::try_from(accounts)?;
        let counted = (*rows, *distinct, *least, *most) == (wanted, wanted, Some(1), Some(wanted));
        let claim = format!("aid is bigint and counts from 1 to {} without a gap", text::count(accounts));
        let against = || format!("{rows} rows, {distinct} keys from {least:?} to {most:?}, type {data_type}");
        Ok(Self::unless(claim, (!counted || data_type != "bigint").then(against)))
    }

    /// The catalogue's lines are those that plain DDL leaves.
    pub(super) fn catalogue(claim: &str, found: &[String], wanted: &[String]) -> Self {
        let missing = wanted.iter().filter(|line| !found.contains(line)).map(|line| format!("missing: {line}"));
        let surplus = found.iter().filter(|line| !wanted.contains(line)).map(|line| format!("surplus: {line}"));
        Self::new(claim, missing.chain(surplus).collect())
    }

    /// Lines that should not be there.
    pub(super) fn nothing_left(lines: Vec<String>) -> Self {
        Self::new("nothing of shoofly is left in the tables", lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_that_do_not_balance_are_seen() {
        assert!(Check::books(&[Some(5), Some(5), Some(5), Some(5)]).holds());
        assert!(!Check::books(&[Some(5), Some(5), Some(4), Some(5)]).holds());
        assert!(!Check::books(&[Some(5), None, Some(5), Some(5)]).holds());
    }

    #[test]
    fn a_lost_row_and_a_wrong_type_are_seen() {
        let keys = Keys { rows: 9, distinct: 9, least: Some(1), most: Some(9), data_type: "bigint".to_owned() };
        assert!(Check::keys(&keys, 9).unwrap().holds());
        assert!(!Check::keys(&keys, 10).unwrap().holds());
        assert!(!Check::keys(&Keys { rows: 8, distinct: 8, ..keys.clone() }, 9).unwrap().holds());
        assert!(!Check::keys(&Keys { data_type: "int".to_owned(), ..keys }, 9).unwrap().holds());
    }

    #[test]
    fn catalogues_are_compared_both_ways() {
        let lines = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let check = Check::catalogue("same", &lines(&["a", "b"]), &lines(&["b", "c"]));
        assert_eq!(check.against, ["missing: c", "surplus: a"]);
    }
}
