//! The small score: what a message shows without anybody reading it.
//!
//! No sign alone makes Junk, and none of those that honest small senders show does together with
//! the others of that kind; what counts is who vouches and what the reader said before.

use crate::domain::verdict::{Outcome, Symbol, Verdict};
use crate::wire::mime::headers::find;

/// What a mailbox's organisation knows of a sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// How often somebody moved its mail to Junk.
    pub junked: u32,
    /// How often somebody took its mail out of Junk.
    pub wanted: u32,
    /// Somebody here has written to it.
    pub known: bool,
}

fn symbol(name: &str, score: f32) -> Symbol {
    Symbol { name: name.to_owned(), score }
}

/// The signs of the message itself and of who brought it.
pub fn of_message(content: &[u8], verdict: &Verdict) -> Vec<Symbol> {
    let mut signs = Vec::new();
    let mut sign = |name, score| signs.push(symbol(name, score));
    match verdict.spf {
        Outcome::Fail => sign("SPF_FAIL", 2.0),
        Outcome::Softfail => sign("SPF_SOFTFAIL", 1.0),
        Outcome::None | Outcome::Permerror => sign("SPF_NONE", 0.5),
        _ => {}
    }
    match verdict.dmarc.result {
        Outcome::Pass => sign("DMARC_PASS", -1.0),
        Outcome::Fail if verdict.dmarc.overridden_by.is_none() => sign("DMARC_FAIL", 2.5),
        _ => {}
    }
    let any = |result| verdict.dkim.iter().any(|signature| signature.result == result);
    if any(Outcome::Pass) {
        sign("DKIM_PASS", -0.5);
    } else if any(Outcome::Fail) || any(Outcome::Neutral) {
        sign("DKIM_BROKEN", 0.5);
    }
    match verdict.iprev {
        Outcome::Permerror => sign("NO_REVERSE_DNS", 1.5),
        Outcome::Fail => sign("REVERSE_DNS_MISMATCH", 1.0),
        _ => {}
    }
    if verdict.dmarc.domain.is_empty() {
        sign("FROM_WITHOUT_DOMAIN", 3.0);
    }
    for (field, name) in [("Date", "NO_DATE"), ("Message-ID", "NO_MESSAGE_ID")] {
        if find(content, field).is_none() {
            sign(name, 1.0);
        }
    }
    if find(content, "List-Id").is_some() && vouched(verdict) {
        sign("LIST", -0.5);
    }
    signs
}

/// The signs of what is known about the sender. That somebody wrote to an address says nothing
/// about who claims to be it: it counts only where that is proven.
pub fn of_sender(standing: Standing, verdict: &Verdict) -> Vec<Symbol> {
    let mut signs = Vec::new();
    if standing.known && vouched(verdict) {
        signs.push(symbol("KNOWN_CORRESPONDENT", -4.0));
    }
    let score = f32::from(u8::try_from(standing.junked.min(8)).unwrap_or(8)) * 2.0
        - f32::from(u8::try_from(standing.wanted.min(8)).unwrap_or(8)) * 3.0;
    if score > 0.0 {
        signs.push(symbol("SENDER_JUNKED", score.min(8.0)));
    } else if score < 0.0 && vouched(verdict) {
        signs.push(symbol("SENDER_WANTED", score.max(-8.0)));
    }
    signs
}

/// Whether the From domain is proven.
fn vouched(verdict: &Verdict) -> bool {
    verdict.dmarc.result == Outcome::Pass
        || (verdict.dmarc.result == Outcome::None
            && verdict.dkim.iter().any(|signature| {
                signature.result == Outcome::Pass && signature.domain == verdict.dmarc.domain
            }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::{Dmarc, Signature};

    const PLAIN: &[u8] = b"From: a@b.example\r\nDate: x\r\nMessage-ID: <1@b>\r\n\r\n";

    fn from(domain: &str) -> Dmarc {
        Dmarc { domain: domain.to_owned(), ..Dmarc::default() }
    }

    fn sum(signs: &[Symbol]) -> f32 {
        signs.iter().map(|sign| sign.score).sum()
    }

    #[test]
    fn a_small_honest_sender_is_no_spammer() {
        let worst = Verdict {
            spf: Outcome::None,
            iprev: Outcome::Permerror,
            dmarc: from("b.example"),
            ..Verdict::default()
        };
        assert!(sum(&of_message(b"From: a@b.example\r\n\r\n", &worst)) < 6.0);
        assert!(sum(&of_message(PLAIN, &worst)) <= 2.0);
    }

    #[test]
    fn who_proves_itself_scores_less() {
        let good = Verdict {
            spf: Outcome::Pass,
            iprev: Outcome::Pass,
            dkim: vec![Signature { result: Outcome::Pass, ..Signature::default() }],
            dmarc: Dmarc { result: Outcome::Pass, ..from("b.example") },
            ..Verdict::default()
        };
        assert!((sum(&of_message(PLAIN, &good)) + 1.5).abs() < 0.01);
        let bad = Verdict {
            spf: Outcome::Fail,
            iprev: Outcome::Permerror,
            dmarc: Dmarc { result: Outcome::Fail, ..from("b.example") },
            ..Verdict::default()
        };
        assert!(sum(&of_message(PLAIN, &bad)) >= 6.0);
        let listed = Verdict {
            dmarc: Dmarc { overridden_by: Some("l.example".into()), ..bad.dmarc.clone() },
            ..bad
        };
        assert!(sum(&of_message(PLAIN, &listed)) < 6.0);
    }

    #[test]
    fn readers_are_believed_and_forgers_of_friends_are_not() {
        let proven = Verdict {
            dmarc: Dmarc { result: Outcome::Pass, ..from("b.example") },
            ..Verdict::default()
        };
        let claimed = Verdict { dmarc: from("b.example"), ..Verdict::default() };
        let known = Standing { known: true, ..Standing::default() };
        assert!(sum(&of_sender(known, &proven)) < -3.0);
        assert!(of_sender(known, &claimed).is_empty());
        let junked = Standing { junked: 4, ..Standing::default() };
        assert!(sum(&of_sender(junked, &claimed)) >= 8.0);
        let both = Standing { junked: 2, wanted: 2, known: false };
        assert!(sum(&of_sender(both, &proven)) < 0.0);
        assert!(of_sender(both, &claimed).is_empty());
        assert!(of_sender(Standing::default(), &proven).is_empty());
    }
}
