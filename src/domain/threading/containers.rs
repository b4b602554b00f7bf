//! Messages and those they refer to, linked as parents and children (RFC 5256 §3, REFERENCES,
//! step 1).

use std::collections::HashMap;

use super::Threaded;

/// How far up a link is followed to see that it closes no loop. A message with answers of its own
/// whose line of ancestors is longer begins a thread instead: no conversation is so deep, and what
/// only pretends to be one costs no more than this.
const MAX_CLIMB: usize = 1000;

/// A message, or the place of one that is referred to.
#[derive(Clone, Debug, Default)]
pub(super) struct Container {
    /// Index of the message; `None` where it is not there.
    pub(super) message: Option<usize>,
    pub(super) parent: Option<usize>,
    pub(super) children: Vec<usize>,
}

/// All of them. Children are in the order in which they were linked.
pub(super) struct Containers {
    pub(super) all: Vec<Container>,
}

impl Containers {
    /// Step 1: links all messages.
    pub(super) fn link_all(messages: &[Threaded]) -> Self {
        let mut links: Vec<Link> = Vec::with_capacity(messages.len());
        let mut ids: HashMap<&str, usize> = HashMap::with_capacity(messages.len());
        for (index, message) in messages.iter().enumerate() {
            let own = own_container(&mut links, &mut ids, message, index);
            let mut before = None;
            for reference in &message.references {
                let next = *ids.entry(reference).or_insert_with(|| add(&mut links, None));
                if let Some(before) = before
                    && links.get(next).is_some_and(|next| next.parent.is_none())
                {
                    link(&mut links, before, next);
                }
                before = Some(next);
            }
            unlink(&mut links, own);
            if let Some(before) = before {
                link(&mut links, before, own);
            }
        }
        Self { all: with_children(&links) }
    }
}

/// A container while links still change: how many children there are is enough.
struct Link {
    message: Option<usize>,
    parent: Option<usize>,
    children: usize,
}

fn add(links: &mut Vec<Link>, message: Option<usize>) -> usize {
    links.push(Link { message, parent: None, children: 0 });
    links.len() - 1
}

/// The container of a message: that of its identifier, unless another message has that already.
fn own_container<'m>(
    links: &mut Vec<Link>,
    ids: &mut HashMap<&'m str, usize>,
    message: &'m Threaded,
    index: usize,
) -> usize {
    let Some(id) = message.message_id.as_deref() else { return add(links, Some(index)) };
    let own = *ids.entry(id).or_insert_with(|| add(links, None));
    match links.get_mut(own) {
        Some(container) if container.message.is_none() => {
            container.message = Some(index);
            own
        }
        _ => add(links, Some(index)),
    }
}

fn unlink(links: &mut [Link], child: usize) {
    let parent = links.get_mut(child).and_then(|child| child.parent.take());
    if let Some(parent) = parent.and_then(|parent| links.get_mut(parent)) {
        parent.children -= 1;
    }
}

/// Links, unless that would close a loop.
fn link(links: &mut [Link], parent: usize, child: usize) {
    // Nothing can be below a container without children.
    let is_leaf = links.get(child).is_none_or(|child| child.children == 0);
    if parent == child || !is_leaf && is_below(links, parent, child) {
        return;
    }
    if let Some(child) = links.get_mut(child) {
        child.parent = Some(parent);
    }
    if let Some(parent) = links.get_mut(parent) {
        parent.children += 1;
    }
}

/// Whether `top` is above `at`, or may be.
fn is_below(links: &[Link], at: usize, top: usize) -> bool {
    let mut at = at;
    for _ in 0..MAX_CLIMB {
        match links.get(at).and_then(|container| container.parent) {
            Some(above) if above == top => return true,
            Some(above) => at = above,
            None => return false,
        }
    }
    true
}

fn with_children(links: &[Link]) -> Vec<Container> {
    let mut all: Vec<Container> = links
        .iter()
        .map(|parent| Container {
            message: parent.message,
            parent: parent.parent,
            children: Vec::with_capacity(parent.children),
        })
        .collect();
    for (index, parent) in links.iter().enumerate() {
        if let Some(parent) = parent.parent.and_then(|parent| all.get_mut(parent)) {
            parent.children.push(index);
        }
    }
    all
}
