//! Labels of messages (X-GM-EXT-1).

use super::message::Changed;
use crate::domain::flags::FlagOp;
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::label::LabelName;
use crate::wire::imap::set::SequenceSet;

/// The most labels in one list.
const MAX_LABELS: usize = 100;

/// `STORE` or `UID STORE` of labels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreLabels {
    /// Whether `set` names UIDs.
    pub uid: bool,
    /// The messages.
    pub set: SequenceSet,
    /// Only those that nobody changed after this mod-sequence (RFC 7162 §3.1.3).
    pub unchanged_since: Option<u64>,
    /// How their labels change.
    pub op: FlagOp,
    /// `.SILENT`: the client does not want to be told.
    pub silent: bool,
    /// With which labels.
    pub labels: Vec<LabelName>,
}

/// ```abnf
/// store-att-flags =/ ["+" / "-"] "X-GM-LABELS" [".SILENT"] SP
///                    ("(" [label *(SP label)] ")" / label)
/// ```
///
/// Reads what stands behind `X-GM-LABELS`.
pub(super) fn labels(cursor: &mut Cursor<'_>, begun: Changed) -> Parsed<StoreLabels> {
    let silent = cursor.eat(b".SILENT");
    cursor.sp()?;
    let labels = if cursor.peek() == Some(b'(') {
        cursor.list(MAX_LABELS, "labels", true, Cursor::label)?
    } else {
        vec![cursor.label()?]
    };
    let Changed { uid, set, unchanged_since, op } = begun;
    Ok(StoreLabels { uid, set, unchanged_since, op, silent, labels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn read(line: &str) -> Option<StoreLabels> {
        match parse_command(format!("a011 {line}\r\n").as_bytes()).ok()?.command {
            Command::StoreLabels(store) => Some(store),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_example_of_the_documentation() {
        let store = read("STORE 1 +X-GM-LABELS (foo)").unwrap();
        assert_eq!((store.op, store.uid, store.silent), (FlagOp::Add, false, false));
        assert_eq!(store.labels, [LabelName::Named("foo".to_owned())]);
    }

    #[test]
    fn other_forms() {
        let store = read("UID STORE 1:4 (UNCHANGEDSINCE 7) -x-gm-labels.silent \\Starred").unwrap();
        assert_eq!((store.op, store.uid, store.silent), (FlagOp::Remove, true, true));
        assert_eq!((store.unchanged_since, store.labels), (Some(7), vec![LabelName::Starred]));
        let store = read("STORE 1 X-GM-LABELS ()").unwrap();
        assert_eq!((store.op, store.labels), (FlagOp::Replace, vec![]));
        for bad in [
            "STORE 1 +X-GM-LABELS",
            "STORE 1 +X-GM-LABELS foo bar",
            "STORE 1 +X-GM-LABELS (foo",
            "STORE 1 +X-GM-LABELSFOO (foo)",
            "STORE 1 +X-GM-MSGID 1",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
