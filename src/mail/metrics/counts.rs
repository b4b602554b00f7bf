//! Numbers by name and outcome, for a bounded number of names.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The name that stands for all that came after the last place was taken.
pub(super) const OTHER: &str = "other";

/// Counts under names that others choose: the first so many have lines of their own.
#[derive(Debug)]
pub(super) struct Counts {
    most: usize,
    counted: Mutex<BTreeMap<String, BTreeMap<&'static str, u64>>>,
}

impl Counts {
    /// For `most` names, and one more that stands for the rest.
    pub(super) fn new(most: usize) -> Self {
        Self { most, counted: Mutex::default() }
    }

    /// One more of `outcome`, of which there are few, under `name`.
    pub(super) fn add(&self, name: &str, outcome: &'static str) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted.contains_key(name) || counted.len() < self.most;
        let outcomes = match counted.get_mut(name) {
            Some(outcomes) => outcomes,
            None => counted.entry(if known { name } else { OTHER }.to_owned()).or_default(),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }

    /// What was counted: name, outcome, number; in that order.
    pub(super) fn all(&self) -> Vec<(String, &'static str, u64)> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let each = counted.iter().flat_map(|(name, outcomes)| {
            outcomes.iter().map(move |(outcome, count)| (name.clone(), *outcome, *count))
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_bound_share_one_line() {
        let counts = Counts::new(2);
        for name in ["a", "b", "c", "a", "d"] {
            counts.add(name, "delivered");
        }
        counts.add("c", "deferred");
        let own = |name: &str, outcome, count| (name.to_owned(), outcome, count);
        assert_eq!(
            counts.all(),
            [
                own("a", "delivered", 2),
                own("b", "delivered", 1),
                own(OTHER, "deferred", 1),
                own(OTHER, "delivered", 2)
            ]
        );
    }
}
