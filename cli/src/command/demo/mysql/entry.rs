//! What the bank does: entries of its books.

/// Accounts, tellers and branches to choose from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bank {
    /// Branches; each has ten tellers and 100 000 accounts.
    pub(super) branches: u32,
}

/// One entry: the balance of an account, of the teller and of his branch change by that much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    account: i64,
    teller: i64,
    branch: i64,
    delta: i64,
    read: Read,
}

/// When the account's balance is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    BeforeWriting,
    AfterWriting,
}

/// A kind of statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Looks at an account.
    Balance,
    /// Changes an account.
    Account,
    /// Changes a teller.
    Teller,
    /// Changes a branch.
    Branch,
    /// Writes it down.
    History,
}

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Self; 5] = [Self::Balance, Self::Account, Self::Teller, Self::Branch, Self::History];

    /// The statement with `?` for its values.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Balance => "SELECT abalance FROM accounts WHERE aid = ?",
            Self::Account => "UPDATE accounts SET abalance = abalance + ? WHERE aid = ?",
            Self::Teller => "UPDATE tellers SET tbalance = tbalance + ? WHERE tid = ?",
            Self::Branch => "UPDATE branches SET bbalance = bbalance + ? WHERE bid = ?",
            Self::History => {
                "INSERT INTO history (tid, bid, aid, delta, mtime) VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP(6))"
            }
        }
    }

    /// The statement with its values in it.
    pub(super) fn text(self, values: &[i64]) -> String {
        let mut values = values.iter();
        let fill = |part: &str| match values.next() {
            Some(value) => format!("{part}{value}"),
            None => part.to_owned(),
        };
        self.sql().split('?').map(fill).collect()
    }
}

impl Entry {
    /// A random one.
    pub(super) fn any(bank: Bank, random: &mut Random) -> Self {
        let branches = u64::from(bank.branches);
        let pick = |random: &mut Random, of: u64| i64::try_from(random.below(of)).unwrap_or(0);
        let teller = pick(random, branches * 10);
        Self {
            account: pick(random, branches * 100_000) + 1,
            teller: teller + 1,
            branch: teller / 10 + 1,
            delta: pick(random, 10_001) - 5_000,
            read: if random.below(2) == 0 { Read::BeforeWriting } else { Read::AfterWriting },
        }
    }

    /// The statements of its transaction, in order, with their values.
    pub(super) fn statements(&self) -> [(Kind, Vec<i64>); 5] {
        let Self { account, teller, branch, delta, read } = *self;
        let look = (Kind::Balance, vec![account]);
        let change = (Kind::Account, vec![delta, account]);
        let [first, second] = match read {
            Read::BeforeWriting => [look, change],
            Read::AfterWriting => [change, look],
        };
        let written = (Kind::History, vec![teller, branch, account, delta]);
        [first, second, (Kind::Teller, vec![delta, teller]), (Kind::Branch, vec![delta, branch]), written]
    }
}

/// Numbers without a pattern that anybody would notice (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The same numbers for the same seed.
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`; 0 where there is none.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).checked_rem(end).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_marks_are() {
        assert_eq!(Kind::Account.text(&[-7, 42]), "UPDATE accounts SET abalance = abalance + -7 WHERE aid = 42");
        assert_eq!(Kind::Balance.text(&[1]), "SELECT abalance FROM accounts WHERE aid = 1");
    }

    #[test]
    fn tellers_work_at_their_branch_and_accounts_exist() {
        let mut random = Random::seeded(7);
        for _ in 0..10_000 {
            let entry = Entry::any(Bank { branches: 3 }, &mut random);
            assert_eq!((entry.teller - 1) / 10, entry.branch - 1);
            assert!((1..=300_000).contains(&entry.account) && (1..=3).contains(&entry.branch));
            assert!(entry.delta.abs() <= 5_000);
        }
    }
}
