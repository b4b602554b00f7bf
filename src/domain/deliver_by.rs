//! By when a message is to be delivered (RFC 2852).

use time::OffsetDateTime;

/// The time that a sender set, and what it wants to happen at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeliverBy {
    /// The moment.
    pub at: OffsetDateTime,
    /// What happens when it comes before delivery does.
    pub mode: ByMode,
    /// The sender wants to hear of each server that it is relayed to.
    pub trace: bool,
}

/// `by-mode` (RFC 2852 §4)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByMode {
    /// `R`: the message goes back.
    Return,
    /// `N`: the sender is told, and it is still tried.
    Notify,
}

impl DeliverBy {
    /// Whether it is too late to deliver it at all.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        self.mode == ByMode::Return && self.at <= now
    }

    /// Whether the sender is to be told at `now` that it is late.
    pub fn is_late(&self, now: OffsetDateTime) -> bool {
        self.mode == ByMode::Notify && self.at <= now
    }

    /// Seconds that remain, as they are passed on (RFC 2852 §4); negative when it is late.
    pub fn remaining(&self, now: OffsetDateTime) -> i64 {
        (self.at - now).whole_seconds()
    }

    /// `by-mode[by-trace]`, as it stands in a command and in the database.
    pub fn word(&self) -> &'static str {
        match (self.mode, self.trace) {
            (ByMode::Return, false) => "R",
            (ByMode::Return, true) => "RT",
            (ByMode::Notify, false) => "N",
            (ByMode::Notify, true) => "NT",
        }
    }
}

impl ByMode {
    /// Reads `by-mode[by-trace]`, in any case; `None` where it is neither.
    pub fn read(word: &str) -> Option<(Self, bool)> {
        match word.to_ascii_uppercase().as_str() {
            "R" => Some((Self::Return, false)),
            "RT" => Some((Self::Return, true)),
            "N" => Some((Self::Notify, false)),
            "NT" => Some((Self::Notify, true)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for mode in [ByMode::Return, ByMode::Notify] {
            for trace in [false, true] {
                let by = DeliverBy { at: OffsetDateTime::UNIX_EPOCH, mode, trace };
                assert_eq!(ByMode::read(&by.word().to_lowercase()), Some((mode, trace)));
            }
        }
        assert_eq!(ByMode::read("T"), None);
    }
}
