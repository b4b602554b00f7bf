//! Whose fault it is that a message was not taken, and what kind of fault.

/// What a refusal is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The address does not exist, or takes no mail any more.
    Address,
    /// The mailbox is full.
    Full,
    /// The message is larger than they take.
    Size,
    /// What is in the message.
    Content,
    /// The recipient's rules about who may write.
    Policy,
    /// The address or the name that we send from is blocked or has a bad name.
    Blocked,
    /// SPF, DKIM, DMARC or reverse DNS does not show that the mail is ours.
    Unproven,
    /// TLS as it is asked for could not be had.
    Tls,
    /// Too much, or too fast.
    Rate,
    /// A stranger is to come again (RFC 6647).
    Greylisted,
    /// DNS or routing leads nowhere, or back.
    Route,
    /// The time for it is over.
    Late,
    /// Their server or the way there has a trouble.
    Theirs,
    /// Our server has one.
    Ours,
    /// Nothing tells.
    Unknown,
}

impl Fault {
    /// Every value.
    pub const ALL: &[Self] = &[
        Self::Address,
        Self::Full,
        Self::Size,
        Self::Content,
        Self::Policy,
        Self::Blocked,
        Self::Unproven,
        Self::Tls,
        Self::Rate,
        Self::Greylisted,
        Self::Route,
        Self::Late,
        Self::Theirs,
        Self::Ours,
        Self::Unknown,
    ];

    /// The word that stands in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Full => "full",
            Self::Size => "size",
            Self::Content => "content",
            Self::Policy => "policy",
            Self::Blocked => "blocked",
            Self::Unproven => "unproven",
            Self::Tls => "tls",
            Self::Rate => "rate",
            Self::Greylisted => "greylisted",
            Self::Route => "route",
            Self::Late => "late",
            Self::Theirs => "theirs",
            Self::Ours => "ours",
            Self::Unknown => "unknown",
        }
    }

    /// What that means, for an operator.
    pub fn words(self) -> &'static str {
        match self {
            Self::Address => "the address does not exist or takes no mail",
            Self::Full => "the mailbox is full",
            Self::Size => "the message is too large for them",
            Self::Content => "they do not want what is in the message",
            Self::Policy => "their rules do not let this sender write to it",
            Self::Blocked => "they block the address or the domain that we send from",
            Self::Unproven => "SPF, DKIM, DMARC or reverse DNS does not prove that it is from us",
            Self::Tls => "TLS as it is asked for could not be had",
            Self::Rate => "they want less mail, or slower",
            Self::Greylisted => "they want us to come again (greylisting)",
            Self::Route => "DNS or routing leads nowhere",
            Self::Late => "the time for it is over",
            Self::Theirs => "their server or the way there has a trouble",
            Self::Ours => "this server has a trouble",
            Self::Unknown => "nothing tells why",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_data_is_read_by() {
        for fault in Fault::ALL {
            let read: Fault = serde_json::from_value(fault.as_str().into()).unwrap();
            assert_eq!(read, *fault);
            assert!(!fault.words().is_empty());
        }
    }
}
