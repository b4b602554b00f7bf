//! What applying filters came to, in numbers.

use serde::Serialize;

use crate::mail::filters::apply::change::{Change, To};
use crate::mail::rules::Effects;

/// What was done; with `dry_run`, what would have been. Counts are messages.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Applied {
    /// The folder.
    pub folder: String,
    /// Nothing was changed.
    pub dry_run: bool,
    /// Whether every message was looked at.
    pub finished: bool,
    /// In the folder when it began.
    pub messages: u64,
    /// Looked at.
    pub examined: u64,
    /// For which a filter's conditions held.
    pub matched: u64,
    /// Put into other folders.
    pub moved: u64,
    /// Put into Trash by `discard`.
    pub discarded: u64,
    /// Given a keyword that they did not have.
    pub labelled: u64,
    /// Given `\Flagged`.
    pub flagged: u64,
    /// Given `\Seen`.
    pub read: u64,
    /// What is for new mail only, and was left out.
    pub left_out: LeftOut,
    /// Each filter, and the messages that its conditions held for.
    pub filters: Vec<Counted>,
    /// Filters that cannot be read.
    pub unreadable: Vec<String>,
}

/// Actions that speak to others: old mail gives no cause for them.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LeftOut {
    /// `forward`.
    pub forward: u64,
    /// `reply`.
    pub reply: u64,
    /// `reject`; the message stays as it is.
    pub reject: u64,
    /// `webhook`.
    pub webhook: u64,
}

/// One filter.
#[derive(Clone, Debug, Serialize)]
pub struct Counted {
    /// What people call it.
    pub name: String,
    /// Messages that its conditions held for.
    pub matched: u64,
}

impl Applied {
    pub(super) fn count(&mut self, change: &Change, messages: u64) {
        match change.to {
            Some(To::Folder(_)) => self.moved += messages,
            Some(To::Trash) => self.discarded += messages,
            None => {}
        }
        for (has, count) in [
            (change.seen, &mut self.read),
            (change.flagged, &mut self.flagged),
            (!change.keywords.is_empty(), &mut self.labelled),
        ] {
            *count += if has { messages } else { 0 };
        }
    }
}

impl LeftOut {
    pub(super) fn count(&mut self, effects: &Effects) {
        self.forward += u64::from(!effects.forwards.is_empty());
        self.reply += u64::from(!effects.replies.is_empty());
        self.reject += u64::from(effects.rejected.is_some());
        self.webhook += u64::from(!effects.webhooks.is_empty());
    }
}
