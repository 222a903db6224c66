//! Lock budgets: look before every conflicting lock, ask briefly, step aside, try again, name who is in the way.
