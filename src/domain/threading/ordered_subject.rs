//! ORDEREDSUBJECT (RFC 5256 §3): same base subject, in order of date.

use super::{Forest, Node, Threaded};

/// Threads by base subject: the first sent is the parent of all others.
pub fn ordered_subject(messages: &[Threaded]) -> Forest {
    let mut sorted: Vec<&Threaded> = messages.iter().collect();
    sorted.sort_by(|a, b| {
        let key = |m: &Threaded| (m.sent, m.number);
        a.base_subject.cmp(&b.base_subject).then_with(|| key(a).cmp(&key(b)))
    });
    let mut forest = Forest::default();
    let mut firsts: Vec<(i64, u32, usize)> = Vec::new();
    let mut before: Option<&Threaded> = None;
    for message in sorted {
        let index = forest.nodes.len();
        forest.nodes.push(Node { number: Some(message.number), children: Vec::new() });
        let same = before.is_some_and(|before| before.base_subject == message.base_subject);
        match firsts.last().filter(|_| same) {
            Some(&(_, _, first)) => {
                if let Some(node) = forest.nodes.get_mut(first) {
                    node.children.push(index);
                }
            }
            None => firsts.push((message.sent, message.number, index)),
        }
        before = Some(message);
    }
    firsts.sort_unstable();
    forest.roots = firsts.into_iter().map(|(_, _, first)| first).collect();
    forest
}
