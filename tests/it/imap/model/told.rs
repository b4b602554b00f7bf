//! What untagged responses say.

use std::collections::BTreeSet;

/// `FETCH`, as far as these tests ask.
pub struct Fetch {
    pub sequence: usize,
    pub uid: Option<u32>,
    pub flags: Option<BTreeSet<String>>,
    pub mod_seq: Option<u64>,
}

/// A FETCH response.
pub fn fetch(line: &str) -> Option<Fetch> {
    let (sequence, items) = line.strip_prefix("* ")?.split_once(" FETCH ")?;
    let behind = |name: &str| items.split_once(name).map(|(_, rest)| rest);
    let digits = |rest: &str| {
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().unwrap()
    };
    let flags = behind("FLAGS (").map(|rest| {
        let (flags, _) = rest.split_once(')').unwrap();
        flags.split_whitespace().filter(|&f| f != "\\Recent").map(str::to_owned).collect()
    });
    Some(Fetch {
        sequence: sequence.parse().unwrap(),
        uid: behind("UID ").map(|rest| u32::try_from(digits(rest)).unwrap()),
        flags,
        mod_seq: behind("MODSEQ (").map(digits),
    })
}

/// The number of `* n NAME`.
pub fn number(line: &str, name: &str) -> Option<usize> {
    let (number, what) = line.strip_prefix("* ")?.split_once(' ')?;
    (what == name).then(|| number.parse().unwrap())
}

/// The UIDs of VANISHED.
pub fn vanished(line: &str) -> Option<BTreeSet<u32>> {
    let rest = line.strip_prefix("* VANISHED ")?;
    let set = rest.strip_prefix("(EARLIER) ").unwrap_or(rest);
    let mut uids = BTreeSet::new();
    for range in set.split(',') {
        let (from, to) = range.split_once(':').unwrap_or((range, range));
        uids.extend(from.parse::<u32>().unwrap()..=to.parse().unwrap());
    }
    Some(uids)
}
