//! Conversations of messages, sent in order unless a test says otherwise.

use proptest::prelude::*;

use super::*;

fn message(number: u32, id: &str, references: &[&str], subject: &str) -> Threaded {
    Threaded {
        number,
        message_id: (!id.is_empty()).then(|| id.to_owned()),
        references: references.iter().copied().map(str::to_owned).collect(),
        base_subject: subject.trim_start_matches("re: ").to_owned(),
        is_reply: subject.starts_with("re: "),
        sent: number.into(),
    }
}

/// `1(2 3)` for a message and its answers; `-` for what is not there.
fn told(forest: &Forest) -> String {
    fn tell(forest: &Forest, at: usize) -> String {
        let node = &forest.nodes[at];
        let number = node.number.map_or("-".to_owned(), |number| number.to_string());
        let children: Vec<String> = node.children.iter().map(|&at| tell(forest, at)).collect();
        if children.is_empty() { number } else { format!("{number}({})", children.join(" ")) }
    }
    let roots: Vec<String> = forest.roots.iter().map(|&root| tell(forest, root)).collect();
    roots.join(" ")
}

fn threaded(messages: &[Threaded]) -> String {
    told(&references(messages))
}

#[test]
fn references_make_parents() {
    let messages = [
        message(1, "a", &[], "x"),
        message(2, "b", &["a"], "x"),
        message(3, "c", &["a", "b"], "y"),
        message(4, "d", &["a"], "x"),
    ];
    assert_eq!(threaded(&messages), "1(2(3) 4)");
    // In whatever order they came.
    let mut turned = messages.to_vec();
    turned.reverse();
    assert_eq!(threaded(&turned), "1(2(3) 4)");
}

#[test]
fn what_is_not_there_gives_its_place_to_its_answers() {
    let alone = [message(1, "b", &["a"], "")];
    assert_eq!(threaded(&alone), "1");
    let brothers = [message(1, "b", &["a"], ""), message(2, "c", &["a"], "")];
    assert_eq!(threaded(&brothers), "-(1 2)");
    let below = [message(1, "a", &[], ""), message(2, "c", &["a", "gone"], "")];
    assert_eq!(threaded(&below), "1(2)");
}

#[test]
fn loops_and_identifiers_used_twice_are_cut() {
    let circle = [message(1, "a", &["b"], ""), message(2, "b", &["a"], "")];
    assert_eq!(threaded(&circle), "2(1)");
    assert_eq!(threaded(&[message(1, "a", &["a"], "")]), "1");
    let twice = [message(1, "a", &[], ""), message(2, "a", &[], ""), message(3, "c", &["a"], "")];
    assert_eq!(threaded(&twice), "1(3) 2");
}

#[test]
fn threads_of_one_subject_come_together() {
    let answered = [message(1, "a", &[], "x"), message(2, "b", &[], "re: x")];
    assert_eq!(threaded(&answered), "1(2)");
    let late = [message(1, "a", &[], "re: x"), message(2, "b", &[], "x")];
    assert_eq!(threaded(&late), "2(1)");
    let originals =
        [message(1, "a", &[], "x"), message(2, "b", &[], "x"), message(3, "c", &[], "x")];
    assert_eq!(threaded(&originals), "-(1 2 3)");
    let missing =
        [message(1, "b", &["a"], "x"), message(2, "c", &["a"], "x"), message(3, "d", &[], "re: x")];
    assert_eq!(threaded(&missing), "-(1 2 3)");
    assert_eq!(threaded(&[message(1, "a", &[], ""), message(2, "b", &[], "")]), "1 2");
}

#[test]
fn the_same_subject_in_order_of_date() {
    let messages = [
        message(1, "", &[], "re: x"),
        message(2, "", &[], "y"),
        message(3, "", &[], "x"),
        Threaded { sent: 0, ..message(4, "", &[], "x") },
    ];
    assert_eq!(told(&ordered_subject(&messages)), "4(1 3) 2");
}

#[test]
fn deep_and_long_ones_take_a_moment() {
    let name = |n: u32| format!("m{n}");
    let chain: Vec<Threaded> =
        (1..=50_000).map(|n| message(n, &name(n), &[name(n - 1).as_str()], "x")).collect();
    assert_eq!(references(&chain).roots.len(), 1);
    // Pairs that all want to be below the end of the chain.
    let mut hostile = chain;
    for n in (100_000..150_000).step_by(2) {
        hostile.push(message(n, &name(n), &[name(n + 1).as_str()], ""));
        hostile.push(message(n + 1, &name(n + 1), &["m50000"], ""));
    }
    let began = std::time::Instant::now();
    references(&hostile);
    assert!(began.elapsed().as_secs() < 20);
}

proptest! {
    #[test]
    fn every_message_is_told_once(
        seeds in proptest::collection::vec((0u8..12, proptest::collection::vec(0u8..12, 0..4), 0u8..4, any::<bool>(), 0i64..9), 0..24)
    ) {
        let messages: Vec<Threaded> = (1..).zip(seeds).map(|(number, (id, references, subject, is_reply, sent))| Threaded {
            number,
            message_id: (id > 0).then(|| id.to_string()),
            references: references.iter().map(u8::to_string).collect(),
            base_subject: if subject > 0 { subject.to_string() } else { String::new() },
            is_reply,
            sent,
        }).collect();
        for forest in [references(&messages), ordered_subject(&messages)] {
            let mut numbers = Vec::new();
            let mut rest = forest.roots.clone();
            while let Some(at) = rest.pop() {
                let node = &forest.nodes[at];
                prop_assert!(node.number.is_some() || node.children.len() > 1, "{}", told(&forest));
                numbers.extend(node.number);
                rest.extend(&node.children);
                prop_assert!(numbers.len() <= messages.len());
            }
            numbers.sort_unstable();
            prop_assert!(numbers.into_iter().eq(1..=u32::try_from(messages.len()).unwrap()));
        }
    }
}
