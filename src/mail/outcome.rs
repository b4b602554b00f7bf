//! What a reply means for a message: delivered, again, or never.
//!
//! The one place that decides it. Whoever talks to a remote server says how far
//! the conversation had come and what was said; whoever fails before that says
//! so with one of the [replies] made here. Where the words of a server tell more
//! than its code, they count: [`texts`].

mod replies;
mod texts;

use crate::domain::fault::Fault;
use crate::domain::outcome::{Outcome, Reply};

pub use replies::{
    connection, dane_needed, dns_trouble, login_in_clear, login_refused, loops_back,
    no_login_offered, no_route, not_now, not_offered, null_mx, our_trouble, out_of_step, refused,
    route_trouble, smarthost_tls_needed, suppressed, taken, time_is_over, tls_needed, too_big,
    unknown_here,
};

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
        (Phase::Host, _) | (_, 530 | 534 | 535 | 538) => Outcome::Deferred(reply),
        (_, 500..) if texts::known(&reply).is_some_and(|known| known.later) => {
            Outcome::Deferred(reply)
        }
        // RFC 5321 §4.5.3.1.10: the old code for "too many recipients".
        (Phase::Rcpt, 552) if reply.enhanced.is_none() => Outcome::Deferred(reply),
        (_, 500..) => Outcome::Failed(reply),
        _ => Outcome::Deferred(reply),
    }
}

/// The same of a reply of a smarthost: what it says of itself, and that it does not relay for us, is
/// for an operator to set right, and no message fails of it.
pub fn judge_smarthost(phase: Phase, reply: Reply) -> Outcome {
    let relays = phase != Phase::Host && fault(&reply, true) != Fault::Route;
    if relays { judge(phase, reply) } else { Outcome::Deferred(reply) }
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
            // What a report gives up after a 4xx was no such word of anybody.
            let never = matches!(reply.enhanced, Some((4, _, _) | (_, 7, _)));
            !never && fault(reply, true) == Fault::Address
        }
        Outcome::Delivered(_) | Outcome::Deferred(_) => false,
    }
}

/// What a refusal is about; `remote` says that it is another server's or the way to one.
pub fn fault(reply: &Reply, remote: bool) -> Fault {
    // RFC 4954 §6: about who we say that we are.
    if matches!(reply.code, 534 | 535) {
        return Fault::Ours;
    }
    match texts::known(reply) {
        Some(known) if remote => known.fault,
        _ => by_code(reply, remote),
    }
}

/// Whether what ended transiently tells against the address: nothing does that
/// is about us, the message or how much we send.
pub fn wears_out(fault: Fault) -> bool {
    matches!(fault, Fault::Address | Fault::Full | Fault::Route | Fault::Theirs | Fault::Unknown)
}

/// By the registry of RFC 5248, as far as a code says anything.
fn by_code(reply: &Reply, remote: bool) -> Fault {
    let Some((class, subject, detail)) = reply.enhanced else {
        return match reply.code {
            530 | 538 => Fault::Tls,
            521 | 556 => Fault::Route,
            ..500 => Fault::Theirs,
            _ => Fault::Unknown,
        };
    };
    if DEAD_ADDRESS.contains(&(5, subject, detail)) && (class, subject) != (4, 2) {
        return Fault::Address;
    }
    match (subject, detail) {
        (1, 7 | 8) | (7, 20..=27) => Fault::Unproven,
        (2, 2) => Fault::Full,
        (2, 3) | (3, 4) => Fault::Size,
        (3, _) if !remote => Fault::Ours,
        (4, 5) | (5, 3) | (7, 28) => Fault::Rate,
        (4, 7) => Fault::Late,
        (4, 3 | 4 | 6) => Fault::Route,
        (6, _) => Fault::Content,
        (7, 4 | 5 | 10 | 11 | 30) => Fault::Tls,
        (7, _) => Fault::Policy,
        (2..=4, _) => Fault::Theirs,
        (5, _) if class == 4 => Fault::Theirs,
        _ => Fault::Unknown,
    }
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
        assert_eq!(word(Rcpt, full), "deferred");
    }

    /// A reply as a server has it: `550 5.1.1 words`.
    fn said(line: &str) -> Reply {
        let said = crate::wire::smtp::reply::replies(format!("{line}\r\n").as_bytes());
        said.into_iter().next().unwrap().into_reply()
    }

    /// What a server says to RCPT, what becomes of the recipient, what it is about, and whether
    /// the address is suppressed.
    const SAID: &[(&str, &str, &str, bool)] = &[
        ("550 5.1.1 User unknown", "failed", "address", true),
        ("550 User unknown", "failed", "address", true),
        (
            "554 5.7.1 <a@b.test>: Recipient address rejected: user unknown",
            "failed",
            "address",
            false,
        ),
        (
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
            "failed",
            "address",
            true,
        ),
        (
            "554 delivery error: dd This user doesn't have a yahoo.com account",
            "failed",
            "address",
            true,
        ),
        (
            "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
            "failed",
            "address",
            true,
        ),
        (
            "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents it",
            "deferred",
            "rate",
            false,
        ),
        ("552 5.2.2 The account is over quota and inactive", "failed", "address", true),
        ("550 Mailbox full", "deferred", "full", false),
        ("552 5.2.2 No", "deferred", "full", false),
        ("554 5.7.1 Greylisted, come again in 5 minutes", "deferred", "greylisted", false),
        (
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
            "deferred",
            "blocked",
            false,
        ),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "deferred",
            "blocked",
            false,
        ),
        ("550 5.7.1 Message rejected: domain listed at Spamhaus DBL", "failed", "content", false),
        (
            "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
            "failed",
            "unproven",
            false,
        ),
        (
            "550 5.7.1 Our system has detected that this message is likely unsolicited mail.",
            "failed",
            "content",
            false,
        ),
        ("550 5.1.1 Message rejected as spam", "failed", "content", false),
        ("550 5.7.1 Relay access denied", "failed", "route", false),
        ("550 5.4.5 Daily SMTP sending quota exceeded", "deferred", "rate", false),
        ("550 Too many messages, slow down", "deferred", "rate", false),
        ("550 5.3.0 Something is wrong, please try again later", "deferred", "theirs", false),
        ("550 5.7.1 No", "failed", "policy", false),
        ("550 No", "failed", "unknown", false),
        ("451 4.3.0 No", "deferred", "theirs", false),
        ("450 4.1.1 User unknown", "deferred", "address", false),
        ("450 4.2.1 Not now", "deferred", "theirs", false),
    ];

    #[test]
    fn words_of_servers_tell_more_than_their_codes() {
        for (line, expected, about, dead) in SAID.iter().copied() {
            let reply = said(line);
            let about_it = fault(&reply, true);
            assert_eq!(word(Phase::Rcpt, reply.clone()), expected, "{line}");
            assert_eq!(about_it.as_str(), about, "{line}");
            assert_eq!(suppresses(&judge(Phase::Rcpt, reply)), dead, "{line}");
        }
    }

    #[test]
    fn our_own_trouble_is_ours() {
        let about = |reply: &Reply| fault(reply, false).as_str();
        assert_eq!(about(&our_trouble("no disk")), "ours");
        assert_eq!(about(&dns_trouble("timeout")), "route");
        assert_eq!(about(&null_mx()), "address");
        assert_eq!(about(&unknown_here()), "address");
        assert_eq!(about(&connection("refused")), "theirs");
        assert_eq!(about(&not_offered("REQUIRETLS", (5, 7, 30))), "tls");
        assert_eq!(about(&time_is_over()), "late");
        assert_eq!(about(&too_big(1)), "size");
        assert_eq!(about(&route_trouble("no such address")), "ours");
        for refused in
            [no_login_offered(), login_in_clear(), login_refused(&said("504 5.5.4 What?"))]
        {
            assert_eq!(fault(&refused, true), Fault::Ours);
            assert_eq!(word(Phase::Host, refused), "deferred");
        }
        let later = login_refused(&said("454 4.7.0 Later"));
        assert_eq!((later.code, fault(&later, true) == Fault::Ours), (454, false));
    }

    #[test]
    fn only_dead_addresses_are_suppressed() {
        let failed = |enhanced| Outcome::Failed(Reply { enhanced, ..reply(550) });
        for dead in DEAD_ADDRESS {
            assert!(suppresses(&failed(Some(dead))));
        }
        for alive in [
            None,
            Some((5, 7, 1)),
            Some((5, 2, 2)),
            Some((5, 1, 4)),
            Some((5, 6, 0)),
            Some((5, 1, 8)),
        ] {
            assert!(!suppresses(&failed(alive)), "{alive:?}");
        }
        let later = Reply { enhanced: Some((5, 1, 1)), ..reply(450) };
        assert!(!suppresses(&Outcome::Deferred(later)));
        assert!(suppresses(&judge(Phase::Rcpt, null_mx())));
        assert!(!suppresses(&Outcome::Failed(suppressed())));
    }

    #[test]
    fn what_a_smarthost_says_of_us_fails_no_message() {
        let said = |phase, line| match judge_smarthost(phase, said(line)) {
            Outcome::Deferred(_) => "deferred",
            Outcome::Failed(_) => "failed",
            Outcome::Delivered(_) => "delivered",
        };
        assert_eq!(said(Phase::Host, "521 No mail here"), "deferred");
        assert_eq!(said(Phase::Rcpt, "554 5.7.1 Relay access denied"), "deferred");
        assert_eq!(said(Phase::Mail, "530 5.7.0 Authentication required"), "deferred");
        assert_eq!(said(Phase::Rcpt, "550 5.1.1 User unknown"), "failed");
        assert_eq!(said(Phase::Content, "250 Ok"), "delivered");
    }

    #[test]
    fn another_host_is_asked_until_one_judges_the_message() {
        assert!(tries_next_host(Phase::Host, &reply(554)));
        assert!(tries_next_host(Phase::Mail, &reply(421)));
        assert!(!tries_next_host(Phase::Rcpt, &reply(550)));
        assert!(!tries_next_host(Phase::Content, &reply(421)));
    }
}
