//! THREAD (RFC 5256).

use crate::wire::imap::command::search_key::SearchKey;
use crate::wire::imap::command::sort::search_criteria;
use crate::wire::imap::cursor::{Cursor, Parsed};

/// `THREAD` or `UID THREAD`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// Whether the answer is UIDs.
    pub uid: bool,
    /// How to find conversations.
    pub algorithm: ThreadAlgorithm,
    /// What must hold of a message.
    pub keys: Vec<SearchKey>,
}

/// How messages become conversations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadAlgorithm {
    /// Same base subject, in order of date.
    OrderedSubject,
    /// By the identifiers that messages refer to.
    References,
}

/// ```abnf
/// thread     = "THREAD" SP thread-alg SP search-criteria
/// thread-alg = "ORDEREDSUBJECT" / "REFERENCES"
/// ```
pub(super) fn thread(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Thread> {
    cursor.sp()?;
    let word = cursor.word("a threading algorithm")?;
    let algorithm = match word.as_slice() {
        b"ORDEREDSUBJECT" => ThreadAlgorithm::OrderedSubject,
        b"REFERENCES" => ThreadAlgorithm::References,
        _ => return cursor.expected("a threading algorithm"),
    };
    Ok(Thread { uid, algorithm, keys: search_criteria(cursor)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    #[test]
    fn the_examples_of_rfc_5256() {
        let read = |text: &str| match parse_command(format!("A283 {text}\r\n").as_bytes()) {
            Ok(tagged) => match tagged.command {
                Command::Thread(thread) => Some(thread),
                other => panic!("{other:?}"),
            },
            Err(_) => None,
        };
        let thread = read("THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000").unwrap();
        assert!(thread.algorithm == ThreadAlgorithm::OrderedSubject && !thread.uid);
        let thread = read("UID THREAD references US-ASCII TEXT \"gewp\"").unwrap();
        assert!(thread.algorithm == ThreadAlgorithm::References && thread.uid);
        for bad in ["THREAD X UTF-8 ALL", "THREAD REFERENCES ALL", "THREAD REFERENCES UTF-8"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
