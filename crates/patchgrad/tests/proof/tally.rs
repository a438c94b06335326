//! Counts what ran.

use std::collections::BTreeMap;

/// How often each op was checked.
#[derive(Default)]
pub struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    pub fn add(&mut self, op: &'static str, count: usize) {
        *self.0.entry(op).or_default() += count;
    }

    /// Prints the counts and compares the number of ops and the total with what is known to be in the tables.
    #[track_caller]
    pub fn finish(self, what: &str, ops: usize, total: usize) {
        let counted: usize = self.0.values().sum();
        println!("{what}: {counted} over {} ops", self.0.len());
        for (op, count) in &self.0 {
            println!("  {op:<18} {count}");
        }
        assert_eq!((self.0.len(), counted), (ops, total), "{what}: number of ops and of checks");
    }
}
