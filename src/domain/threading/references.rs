//! REFERENCES (RFC 5256 §3): by the identifiers that messages refer to.

use std::collections::HashMap;

use super::containers::{Container, Containers};
use super::subjects::gather;
use super::{Forest, Node, Threaded};

/// Trees by the identifiers of messages and of what they refer to; threads with the same subject
/// come together. Linear, but for the sorting.
pub fn references(messages: &[Threaded]) -> Forest {
    let all = Containers::link_all(messages).all;
    let by_number = messages.iter().map(|message| (message.number, message)).collect();
    let mut forest = pruned(&all, messages);
    // Step 4 wants the roots in order, step 5 looks at the first child of what is not there.
    sort_all(&mut forest, &by_number);
    gather(&mut forest, &by_number);
    sort_all(&mut forest, &by_number);
    forest
}

/// When a node was sent, and its number.
type When = (i64, u32);

/// Steps 2 and 3: what is not there goes, and its children take its place; at the top only where it
/// has a single one.
fn pruned(all: &[Container], messages: &[Threaded]) -> Forest {
    let mut forest = Forest::default();
    // What has taken the place of each container.
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    for index in bottom_up(all) {
        let Some(container) = all.get(index) else { continue };
        let mut children = Vec::new();
        for &child in &container.children {
            children.append(&mut places.get_mut(child).map(std::mem::take).unwrap_or_default());
        }
        let message = container.message.and_then(|message| messages.get(message));
        let is_root = container.parent.is_none();
        let place = if message.is_some() || is_root && children.len() > 1 {
            forest.nodes.push(Node { number: message.map(|message| message.number), children });
            vec![forest.nodes.len() - 1]
        } else {
            children
        };
        if is_root {
            forest.roots.extend(place);
        } else if let Some(own) = places.get_mut(index) {
            *own = place;
        }
    }
    forest
}

/// Every container behind all that are below it.
fn bottom_up(all: &[Container]) -> Vec<usize> {
    let is_root =
        |&index: &usize| all.get(index).is_some_and(|container| container.parent.is_none());
    let mut order: Vec<usize> = (0..all.len()).filter(is_root).collect();
    let mut next = 0;
    while let Some(&index) = order.get(next) {
        order.extend(all.get(index).into_iter().flat_map(|container| &container.children));
        next += 1;
    }
    order.reverse();
    order
}

/// When each node was sent; what is not there, with the first of its children.
fn dates_of(forest: &Forest, by_number: &HashMap<u32, &Threaded>) -> Vec<When> {
    let mut dates: Vec<When> = Vec::with_capacity(forest.nodes.len());
    for node in &forest.nodes {
        let message = node.number.and_then(|number| by_number.get(&number));
        dates.push(message.map_or((i64::MAX, u32::MAX), |message| (message.sent, message.number)));
    }
    // Only at the top is anything not there, and below it everything is.
    for (index, node) in forest.nodes.iter().enumerate() {
        if node.number.is_none() {
            let first = node.children.iter().filter_map(|&child| dates.get(child)).min().copied();
            if let (Some(first), Some(date)) = (first, dates.get_mut(index)) {
                *date = first;
            }
        }
    }
    dates
}

/// Steps 4 and 6: siblings in order of date.
fn sort_all(forest: &mut Forest, by_number: &HashMap<u32, &Threaded>) {
    let dates = dates_of(forest, by_number);
    let when = |index: &usize| dates.get(*index).copied();
    for node in &mut forest.nodes {
        node.children.sort_by_key(when);
    }
    forest.roots.sort_by_key(when);
}
