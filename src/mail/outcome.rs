//! What a reply means for a message: delivered, again, or never.
//!
//! The one place that decides it. Whoever talks to a remote server says how far
//! the conversation had come and what was said; whoever fails before that says
//! so with one of the replies made here.

use crate::domain::outcome::{Outcome, Reply};

/// How far a conversation had come when a reply ended it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Connection, greeting, EHLO or TLS: it says something about this host
    /// and nothing about the message.
    Host,
    /// The reply to MAIL.
    Mail,
    /// The reply to this recipient's RCPT.
    Rcpt,
    /// The reply to DATA.
    Data,
    /// The reply to the end of the data.
    Content,
}

/// Enhanced codes that say that an address takes no mail now or ever: bad
/// mailbox, bad domain, bad syntax, moved, null MX, disabled.
const DEAD_ADDRESS: [(u8, u16, u16); 6] =
    [(5, 1, 1), (5, 1, 2), (5, 1, 3), (5, 1, 6), (5, 1, 10), (5, 2, 1)];

/// What `reply` means for one recipient.
pub fn judge(phase: Phase, reply: Reply) -> Outcome {
    match (phase, reply.code) {
        (Phase::Content, 200..=299) => Outcome::Delivered(reply),
        // RFC 7504: this host, or this domain, takes no mail at all.
        (Phase::Host, 521 | 556) => Outcome::Failed(reply),
        // Blocked, misconfigured, overloaded: ours or theirs to fix, and the
        // message can wait for it. Or they want TLS or AUTH, which an attempt
        // in better order may offer.
        (Phase::Host, _) | (_, 530 | 534 | 538) => Outcome::Deferred(reply),
        // RFC 5321 §4.5.3.1.10: the old code for "too many recipients".
        (Phase::Rcpt, 552) if reply.enhanced.is_none() => Outcome::Deferred(reply),
        (_, 500..) => Outcome::Failed(reply),
        _ => Outcome::Deferred(reply),
    }
}

/// Whether the next host of the domain should be asked (RFC 5321 §5.1): not
/// once a server has said something about the message itself.
pub fn tries_next_host(phase: Phase, reply: &Reply) -> bool {
    match phase {
        Phase::Host => true,
        // It may have the message all the same: asking another one at once
        // would be asking for two copies.
        Phase::Content => false,
        Phase::Mail | Phase::Rcpt | Phase::Data => reply.code == 421,
    }
}

/// Whether the recipient goes on the suppression list: the address is dead.
/// Never for policy or content, which is about the sender or the message.
pub fn suppresses(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Failed(reply) => {
            reply.enhanced.is_some_and(|enhanced| DEAD_ADDRESS.contains(&enhanced))
        }
        Outcome::Delivered(_) | Outcome::Deferred(_) => false,
    }
}

/// A reply of our own making, for what no remote server said.
fn ours(code: u16, enhanced: (u8, u16, u16), text: impl Into<String>) -> Reply {
    Reply { code, enhanced: Some(enhanced), text: text.into() }
}

/// The host cannot be reached or the connection broke.
pub fn connection(why: impl std::fmt::Display) -> Reply {
    ours(421, (4, 4, 2), format!("connection failed: {why}"))
}

/// The server's replies make no sense.
pub fn out_of_step(why: &str) -> Reply {
    ours(451, (4, 5, 0), why)
}

/// The message needs an extension that the server does not have.
pub fn not_offered(what: &str, enhanced: (u8, u16, u16)) -> Reply {
    ours(550, enhanced, format!("the server does not offer {what}, which this message needs"))
}

/// The message is larger than the server says it takes (RFC 1870 §6.1).
pub fn too_big(limit: u64) -> Reply {
    ours(552, (5, 3, 4), format!("the server takes at most {limit} octets"))
}

/// RFC 7505 §3
pub fn null_mx() -> Reply {
    ours(556, (5, 1, 10), "the domain takes no mail (null MX)")
}

/// There is no such domain, or nothing there that could take mail.
pub fn no_route() -> Reply {
    ours(550, (5, 1, 2), "the domain has no mail server")
}

/// The name servers did not answer.
pub fn dns_trouble(why: impl std::fmt::Display) -> Reply {
    ours(451, (4, 4, 3), format!("name resolution failed: {why}"))
}

/// The domain's mail servers are ourselves, and we do not know the address
/// (RFC 5321 §5.1).
pub fn loops_back() -> Reply {
    ours(550, (5, 4, 6), "mail for this domain comes back to this server, which does not host it")
}

/// A mailbox here took it.
pub fn taken() -> Reply {
    ours(250, (2, 1, 5), "delivered to a mailbox here")
}

/// A domain of ours without that mailbox.
pub fn unknown_here() -> Reply {
    ours(550, (5, 1, 1), "there is no such mailbox here")
}

/// A mailbox here cannot take it for a reason of its own; it may again.
pub fn not_now(enhanced: (u8, u16, u16), why: impl Into<String>) -> Reply {
    ours(450, enhanced, why)
}

/// Something of ours does not work.
pub fn our_trouble(why: &str) -> Reply {
    ours(451, (4, 3, 0), why)
}

/// The sender may not send it as it stands.
pub fn refused(enhanced: (u8, u16, u16), why: impl Into<String>) -> Reply {
    ours(550, enhanced, why)
}

/// The time that the sender set for it is over (RFC 2852 §4).
pub fn time_is_over() -> Reply {
    ours(550, (5, 4, 7), "it could not be delivered by the time that you set for it")
}

/// The recipient is on the organisation's suppression list.
pub fn suppressed() -> Reply {
    ours(550, (5, 7, 1), "the recipient is on the suppression list of your organisation")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16) -> Reply {
        Reply { code, enhanced: None, text: String::new() }
    }

    fn word(phase: Phase, reply: Reply) -> &'static str {
        match judge(phase, reply) {
            Outcome::Delivered(_) => "delivered",
            Outcome::Deferred(_) => "deferred",
            Outcome::Failed(_) => "failed",
        }
    }

    #[test]
    fn codes_mean_what_the_phase_makes_of_them() {
        use Phase::{Content, Data, Host, Mail, Rcpt};
        for (phase, code, expected) in [
            (Content, 250, "delivered"),
            (Content, 251, "delivered"),
            (Content, 354, "deferred"),
            (Content, 451, "deferred"),
            (Content, 554, "failed"),
            (Rcpt, 250, "deferred"),
            (Rcpt, 450, "deferred"),
            (Rcpt, 550, "failed"),
            (Rcpt, 552, "deferred"),
            (Content, 552, "failed"),
            (Mail, 530, "deferred"),
            (Mail, 553, "failed"),
            (Data, 421, "deferred"),
            (Data, 503, "failed"),
            (Host, 421, "deferred"),
            (Host, 550, "deferred"),
            (Host, 554, "deferred"),
            (Host, 521, "failed"),
        ] {
            assert_eq!(word(phase, reply(code)), expected, "{phase:?} {code}");
        }
        let full = Reply { enhanced: Some((5, 2, 2)), ..reply(552) };
        assert_eq!(word(Rcpt, full), "failed");
    }

    #[test]
    fn only_dead_addresses_are_suppressed() {
        let failed = |enhanced| Outcome::Failed(Reply { enhanced, ..reply(550) });
        for dead in DEAD_ADDRESS {
            assert!(suppresses(&failed(Some(dead))));
        }
        for alive in [None, Some((5, 7, 1)), Some((5, 2, 2)), Some((5, 6, 0)), Some((5, 1, 8))] {
            assert!(!suppresses(&failed(alive)), "{alive:?}");
        }
        let later = Reply { enhanced: Some((5, 1, 1)), ..reply(450) };
        assert!(!suppresses(&Outcome::Deferred(later)));
        assert!(suppresses(&judge(Phase::Rcpt, null_mx())));
        assert!(!suppresses(&Outcome::Failed(suppressed())));
    }

    #[test]
    fn another_host_is_asked_until_one_judges_the_message() {
        assert!(tries_next_host(Phase::Host, &reply(554)));
        assert!(tries_next_host(Phase::Mail, &reply(421)));
        assert!(!tries_next_host(Phase::Rcpt, &reply(550)));
        assert!(!tries_next_host(Phase::Content, &reply(421)));
    }
}
