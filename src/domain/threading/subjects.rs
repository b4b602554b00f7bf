//! Threads with the same subject come together (RFC 5256 §3, REFERENCES, step 5).

use std::collections::HashMap;

use super::{Forest, Node, Threaded};

/// What a root says of its thread.
#[derive(Clone, Copy)]
struct Root<'m> {
    subject: &'m str,
    is_reply: bool,
    is_dummy: bool,
}

/// Joins roots of `forest` whose base subjects are the same. Roots and children are in order of date.
pub(super) fn gather(forest: &mut Forest, messages: &HashMap<u32, &Threaded>) {
    let roots = std::mem::take(&mut forest.roots);
    let told: Vec<Option<Root<'_>>> =
        roots.iter().map(|&root| describe(forest, messages, root)).collect();
    let mut table = table(&roots, &told);
    let mut joined = vec![false; roots.len()];
    let mut kept: Vec<usize> = Vec::with_capacity(roots.len());
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (at, (&root, told)) in roots.iter().zip(&told).enumerate() {
        let entry =
            told.as_ref().and_then(|told| table.get_mut(told.subject).map(|entry| (told, entry)));
        let Some((told, entry)) = entry.filter(|(_, entry)| entry.root != root) else {
            continue;
        };
        join(forest, root, told, entry, &mut places);
        if let Some(joined) = joined.get_mut(at) {
            *joined = true;
        }
    }
    for (&root, joined) in roots.iter().zip(joined) {
        if !joined {
            kept.push(places.get(&root).copied().unwrap_or(root));
        }
    }
    forest.roots = kept;
}

/// The root that stands for a subject.
struct Entry<'m> {
    root: usize,
    is: Root<'m>,
}

/// `None` for a thread without a subject.
fn describe<'m>(
    forest: &Forest,
    messages: &HashMap<u32, &'m Threaded>,
    root: usize,
) -> Option<Root<'m>> {
    let node = forest.nodes.get(root)?;
    let is_dummy = node.number.is_none();
    let first = match node.number {
        Some(number) => number,
        None => forest.nodes.get(*node.children.first()?)?.number?,
    };
    let message = messages.get(&first)?;
    let subject = message.base_subject.as_str();
    (!subject.is_empty()).then_some(Root { subject, is_reply: message.is_reply, is_dummy })
}

/// For each subject the root that stands for it: one that is not there before one that is, an
/// original before a reply.
fn table<'m>(roots: &[usize], told: &[Option<Root<'m>>]) -> HashMap<&'m str, Entry<'m>> {
    let mut table: HashMap<&str, Entry<'_>> = HashMap::new();
    for (&root, told) in roots.iter().zip(told) {
        let Some(is) = *told else { continue };
        let entry = table.entry(is.subject).or_insert(Entry { root, is });
        let better = is.is_dummy && !entry.is.is_dummy
            || entry.is.is_reply && !is.is_reply && !entry.is.is_dummy;
        if better {
            *entry = Entry { root, is };
        }
    }
    table
}

/// Puts `root` to what stands for its subject.
fn join(
    forest: &mut Forest,
    root: usize,
    told: &Root<'_>,
    entry: &mut Entry<'_>,
    places: &mut HashMap<usize, usize>,
) {
    if told.is_dummy && entry.is.is_dummy {
        let children = forest.nodes.get_mut(root).map(|node| std::mem::take(&mut node.children));
        if let Some(node) = forest.nodes.get_mut(entry.root) {
            node.children.append(&mut children.unwrap_or_default());
        }
    } else if entry.is.is_dummy || told.is_reply && !entry.is.is_reply {
        if let Some(node) = forest.nodes.get_mut(entry.root) {
            node.children.push(root);
        }
    } else {
        // Both are originals, or both replies: brothers.
        forest.nodes.push(Node { number: None, children: vec![entry.root, root] });
        let dummy = forest.nodes.len() - 1;
        places.insert(entry.root, dummy);
        entry.root = dummy;
        entry.is.is_dummy = true;
    }
}
