//! The queue's vocabulary: states, classes, sources.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value, in the order of the table above.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The word that stands in the database and in `--json`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("'{other}' is none of: {}", [$($word),*].join(", "))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Where a message to one recipient stands.
    State {
        /// Due at `next_attempt_at`.
        Queued = "queued",
        /// Waits for an operator or a budget; `held_reason` says which.
        Held = "held",
        /// Leased by a worker until `leased_until`.
        Sending = "sending",
        /// Accepted by a relay; its fate is not known.
        Sent = "sent",
        /// Accepted by the recipient's own server.
        Delivered = "delivered",
        /// Refused for good.
        Bounced = "bounced",
        /// Not sent: the recipient is on the suppression list.
        Suppressed = "suppressed",
        /// Given up after trying for too long.
        Expired = "expired",
        /// Cancelled before it left.
        Cancelled = "cancelled",
        /// Delivered, then reported as spam.
        Complained = "complained",
    }
}

words! {
    /// How urgent mail is: bulk never delays people.
    Class {
        /// People writing to people, and what answers them.
        Personal = "personal",
        /// One person's receipt, reset link, notice.
        Transactional = "transactional",
        /// Newsletters and other broadcasts.
        Bulk = "bulk",
    }
}

words! {
    /// What put a message in the queue.
    Source {
        /// A mail client or program, over SMTP.
        Submission = "submission",
        /// The HTTP API, or a row written by SQL.
        Api = "api",
        /// A forwarding rule.
        Forward = "forward",
        /// A vacation or other automatic answer.
        AutoReply = "auto_reply",
        /// A newsletter broadcast.
        Campaign = "campaign",
        /// A step of a drip sequence.
        Sequence = "sequence",
        /// A delivery status notification of ours.
        Bounce = "bounce",
        /// A report of ours to a domain about its mail.
        Report = "report",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse::<State>().as_ref(), Ok(state));
        }
        assert!("lost".parse::<State>().is_err());
    }
}
