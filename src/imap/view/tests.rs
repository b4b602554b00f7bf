//! The view against a client that only knows what it was told.

use proptest::prelude::*;

use super::View;
use crate::wire::imap::command::{Command, parse_command};
use crate::wire::imap::set::SequenceSet;

fn set(text: &str) -> SequenceSet {
    match parse_command(format!("a UID EXPUNGE {text}\r\n").as_bytes()).unwrap().command {
        Command::UidExpunge(set) => set,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sets_become_uids() {
    let view = View::new(vec![3, 5, 8, 13], 8);
    assert_eq!(view.by_sequence(&set("1,3:*")), Some(vec![3, 8, 13]));
    assert_eq!(view.by_sequence(&set("*:2,1:2")), Some(vec![3, 5, 8, 13]));
    assert_eq!(view.by_sequence(&set("1:5")), None);
    assert_eq!(view.by_uid(&set("1:4,8,9,100:200")), [3, 8]);
    // "559:*" always names the last message (RFC 3501 §9).
    assert_eq!(view.by_uid(&set("559:*")), [13]);
    assert_eq!((view.sequence_of(8), view.sequence_of(9)), (Some(3), None));
    assert_eq!((view.len(), view.recent(), view.is_recent(5)), (4, 2, false));
}

#[test]
fn what_is_missing_is_between_what_is_there() {
    let view = View::new(vec![3, 5, 8, u32::MAX], 8);
    let missing = |text: &str| view.missing(&set(text).resolve(10)).to_string();
    assert_eq!(missing("1:10"), "1:2,4,6:7,9:10");
    assert_eq!(missing("3,5,8"), "");
    assert_eq!(missing("4:6,9"), "4,6,9");
    assert_eq!(missing("4294967294:4294967295"), "4294967294");
}

#[test]
fn nothing_is_in_an_empty_mailbox() {
    let view = View::new(Vec::new(), 1);
    assert_eq!(view.by_sequence(&set("1:*")), None);
    assert!(view.by_uid(&set("1:*")).is_empty());
    assert_eq!((view.len(), view.recent(), view.top()), (0, 0, 0));
}

#[test]
fn messages_that_are_gone_keep_their_numbers_until_announced() {
    let mut view = View::new(vec![1, 2, 3, 4], 5);
    view.lose(&[2, 4, 9]);
    assert_eq!(view.sequence_of(3), Some(3));
    assert!(view.add([4, 7]));
    assert_eq!(view.len(), 5);
    assert_eq!(view.take_expunged(), [4, 2]);
    assert_eq!(view.uids(), [1, 3, 7]);
    assert_eq!(view.recent(), 1);
    assert!(view.take_expunged().is_empty());
}

#[test]
fn what_came_and_went_unseen_is_never_mentioned() {
    let mut view = View::new(vec![1], 2);
    view.lose(&[2]);
    assert!(view.take_expunged().is_empty());
    assert!(view.add([3]));
    view.lose_all();
    assert_eq!(view.take_expunged(), [2, 1]);
    assert!(!view.add([3]), "a UID never comes back");
}

/// What happens to a mailbox, and when the client is told.
#[derive(Clone, Debug)]
enum Step {
    Deliver(u8),
    /// Removes the message at this place, modulo how many there are.
    Remove(usize),
    Tell {
        expunges: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_u8..4).prop_map(Step::Deliver),
        any::<usize>().prop_map(Step::Remove),
        any::<bool>().prop_map(|expunges| Step::Tell { expunges }),
    ];
    prop::collection::vec(step, 0..60)
}

/// A mailbox on the server, and what happened since the view was last brought up to date.
struct Mailbox {
    here: Vec<u32>,
    next: u32,
    new: Vec<u32>,
    lost: Vec<u32>,
}

impl Mailbox {
    fn deliver(&mut self, count: u8) {
        for _ in 0..count {
            self.here.push(self.next);
            self.new.push(self.next);
            self.next += 1;
        }
    }

    fn remove(&mut self, place: usize) {
        if !self.here.is_empty() {
            let uid = self.here.remove(place % self.here.len());
            self.new.retain(|&new| new != uid);
            self.lost.push(uid);
            self.lost.sort_unstable();
        }
    }
}

/// A client: the UIDs of its messages, in order, kept by the announcements alone.
fn announce(client: &mut Vec<u32>, view: &mut View, expunges: bool) {
    if expunges {
        for sequence in view.take_expunged() {
            client.remove(sequence as usize - 1);
        }
    }
    // EXISTS; the client then asks for the UIDs of what is new.
    assert!(client.len() <= view.uids().len(), "EXISTS never goes down");
    client.extend_from_slice(&view.uids()[client.len()..]);
}

proptest! {
    #[test]
    fn a_client_that_follows_the_announcements_has_the_same_numbers(steps in steps()) {
        let mut mailbox = Mailbox { here: vec![1, 2, 3], next: 4, new: vec![], lost: vec![] };
        let mut view = View::new(mailbox.here.clone(), 1);
        let mut client = mailbox.here.clone();
        for step in steps {
            match step {
                Step::Deliver(count) => mailbox.deliver(count),
                Step::Remove(place) => mailbox.remove(place),
                Step::Tell { expunges } => {
                    view.add(std::mem::take(&mut mailbox.new));
                    view.lose(&std::mem::take(&mut mailbox.lost));
                    announce(&mut client, &mut view, expunges);
                    if expunges {
                        prop_assert_eq!(&client, &mailbox.here);
                    }
                }
            }
            prop_assert_eq!(client.as_slice(), view.uids());
            for (index, &uid) in client.iter().enumerate() {
                prop_assert_eq!(view.sequence_of(uid), Some(u32::try_from(index + 1).unwrap()));
            }
        }
    }

    #[test]
    fn sets_name_the_same_messages_either_way(
        uids in prop::collection::btree_set(1_u32..60, 1..20),
        ranges in prop::collection::vec((1_u32..70, 1_u32..70), 1..6),
    ) {
        let uids: Vec<u32> = uids.into_iter().collect();
        let view = View::new(uids.clone(), 1);
        let text: Vec<_> = ranges.iter().map(|(a, b)| format!("{a}:{b}")).collect();
        let set = set(&text.join(","));
        let named = |n: u32| ranges.iter().any(|&(a, b)| a.min(b) <= n && n <= a.max(b));
        let expected: Vec<u32> = uids.iter().copied().filter(|&uid| named(uid)).collect();
        prop_assert_eq!(view.by_uid(&set), expected);
        let fits = ranges.iter().all(|&(a, b)| a.max(b) as usize <= uids.len());
        let expected = fits.then(|| {
            let numbered = uids.iter().zip(1_u32..);
            numbered.filter(|&(_, n)| named(n)).map(|(&uid, _)| uid).collect::<Vec<_>>()
        });
        prop_assert_eq!(view.by_sequence(&set), expected);
    }
}
