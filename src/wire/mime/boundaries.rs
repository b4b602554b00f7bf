//! The boundaries that a line may match (RFC 2046 §5.1.1).

use std::collections::HashMap;

/// The boundaries of the open multiparts, each with where it stands in the stack; the innermost one
/// counts where two are the same.
#[derive(Default)]
pub(super) struct Boundaries {
    containers: HashMap<Vec<u8>, Vec<usize>>,
    longest: usize,
}

impl Boundaries {
    pub(super) fn is_empty(&self) -> bool {
        self.containers.is_empty()
    }

    pub(super) fn open(&mut self, boundary: &[u8], container: usize) {
        self.longest = self.longest.max(boundary.len());
        self.containers.entry(boundary.to_vec()).or_default().push(container);
    }

    pub(super) fn close(&mut self, boundary: &[u8]) {
        if let Some(containers) = self.containers.get_mut(boundary) {
            containers.pop();
            if containers.is_empty() {
                self.containers.remove(boundary);
            }
        }
    }

    /// Whose delimiter has `text` behind its two hyphens, and whether it is the last.
    pub(super) fn find(&self, text: &[u8]) -> Option<(usize, bool)> {
        if text.len() > self.longest + 2 {
            return None;
        }
        let innermost = |text: &[u8]| self.containers.get(text)?.last().copied();
        innermost(text)
            .map(|container| (container, false))
            .or_else(|| Some((innermost(text.strip_suffix(b"--")?)?, true)))
    }
}
