//! Sets of plain numbers, sorted: a sequence set that has been resolved, or UIDs to tell a client.

use std::fmt::{self, Display, Write};

/// Numbers from 1 to 2^32-1 as sorted ranges that neither overlap nor touch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NumberSet {
    ranges: Vec<(u32, u32)>,
}

impl NumberSet {
    /// The ranges, ascending, both ends included.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many numbers are in the set.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|&(from, to)| u64::from(to - from) + 1).sum()
    }

    /// Whether `number` is in the set; logarithmic in the number of ranges.
    pub fn contains(&self, number: u32) -> bool {
        let next = self.ranges.partition_point(|&(_, to)| to < number);
        self.ranges.get(next).is_some_and(|&(from, _)| from <= number)
    }

    /// The numbers, ascending. There can be 2^32 of them: intersect with what exists first.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.ranges.iter().flat_map(|&(from, to)| from..=to)
    }
}

impl FromIterator<(u32, u32)> for NumberSet {
    /// Sorts and joins ranges, whose ends may stand in either order. 0 is no number and left out.
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(ranges: I) -> Self {
        let ordered = ranges.into_iter().map(|(a, b)| (a.min(b).max(1), a.max(b)));
        let mut sorted: Vec<_> = ordered.filter(|&(_, to)| to > 0).collect();
        sorted.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (from, to) in sorted {
            match joined.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        Self { ranges: joined }
    }
}

impl FromIterator<u32> for NumberSet {
    /// Collects single numbers in any order.
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        numbers.into_iter().map(|number| (number, number)).collect()
    }
}

impl Display for NumberSet {
    /// The shortest form on the wire; nothing at all for the empty set, which has no form there.
    ///
    /// ```abnf
    /// uid-set   = (uniqueid / uid-range) *("," uid-set)
    /// uid-range = (uniqueid ":" uniqueid)
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, &(from, to)) in self.ranges.iter().enumerate() {
            if i > 0 {
                f.write_char(',')?;
            }
            write!(f, "{from}")?;
            if to > from {
                write!(f, ":{to}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::imap::cursor::Cursor;

    #[test]
    fn joins_what_overlaps_or_touches() {
        let set: NumberSet =
            [(7, 5), (1, 1), (2, 3), (6, 9), (u32::MAX, u32::MAX)].into_iter().collect();
        assert_eq!(set.ranges(), [(1, 3), (5, 9), (u32::MAX, u32::MAX)]);
        assert_eq!(set.to_string(), "1:3,5:9,4294967295");
        assert_eq!(set.count(), 9);
        assert!(NumberSet::from_iter([(0, 0)]).is_empty());
        assert_eq!(NumberSet::from_iter([(0, u32::MAX)]).count(), u64::from(u32::MAX));
    }

    proptest! {
        #[test]
        fn decode_of_encode(numbers in proptest::collection::btree_set(1u32..200, 1..60)) {
            let set: NumberSet = numbers.iter().copied().collect();
            prop_assert!(set.iter().eq(numbers.iter().copied()));
            prop_assert_eq!(set.count(), numbers.len() as u64);
            let text = set.to_string();
            let read = Cursor::new(text.as_bytes()).sequence_set().unwrap();
            prop_assert_eq!(read.resolve(u32::MAX), set);
        }
    }
}
