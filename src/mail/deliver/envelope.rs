//! MAIL and RCPT with their parameters, as far as the server knows them.

use std::fmt::Write as _;

use crate::domain::deliver_by::{ByMode, DeliverBy};
use crate::domain::envelope::{DsnReturn, Notify};
use crate::domain::outcome::Reply;
use crate::mail::outcome;
use crate::wire::smtp::reply::Offer;
use crate::wire::smtp::xtext;

/// An envelope for one server.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// Empty for the null reverse-path.
    pub reverse_path: String,
    /// RFC 3461 RET.
    pub ret: DsnReturn,
    /// RFC 3461 ENVID, decoded.
    pub envid: Option<String>,
    /// RFC 8689
    pub require_tls: bool,
    /// RFC 2852, with the seconds that remain.
    pub deliver_by: Option<(DeliverBy, i64)>,
    /// To whom.
    pub recipients: Vec<To>,
}

/// One recipient.
#[derive(Clone, Debug)]
pub struct To {
    /// The forward-path.
    pub address: String,
    /// RFC 3461 NOTIFY.
    pub notify: Notify,
    /// RFC 3461 ORCPT as given.
    pub orcpt: Option<String>,
}

impl Envelope {
    /// Why the server cannot take `content`, going by what it offers; `verified` says that it is
    /// reached under TLS and has proven its name.
    pub fn obstacle(&self, content: &[u8], offer: &Offer, verified: bool) -> Option<Reply> {
        if let Some(limit) = offer.max_size.filter(|limit| content.len() as u64 > *limit) {
            return Some(outcome::too_big(limit));
        }
        // RFC 8689 §4.2.1; §5: a report is better sent all the same than lost.
        let must = self.require_tls && !self.reverse_path.is_empty();
        if must && !(verified && offer.require_tls) {
            return Some(outcome::not_offered("REQUIRETLS", (5, 7, 30)));
        }
        // RFC 2852 §4: what goes back when it is late is not given to who would not see to it.
        if let Some((by, seconds)) = self.deliver_by
            && by.mode == ByMode::Return
        {
            match offer.deliver_by {
                _ if seconds <= 0 => return Some(outcome::time_is_over()),
                None => return Some(outcome::not_offered("DELIVERBY", (5, 3, 3))),
                Some(least) if seconds < least => return Some(outcome::time_is_over()),
                Some(_) => {}
            }
        }
        if self.needs_utf8(content) && !offer.smtputf8 {
            return Some(outcome::not_offered("SMTPUTF8", (5, 6, 7)));
        }
        None
    }

    /// Whether an address or the header is beyond ASCII (RFC 6531 §3.4).
    fn needs_utf8(&self, content: &[u8]) -> bool {
        let header = content.windows(4).position(|four| four == b"\r\n\r\n");
        let header = content.get(..header.unwrap_or(content.len())).unwrap_or_default();
        !self.reverse_path.is_ascii()
            || !header.is_ascii()
            || self.recipients.iter().any(|to| !to.address.is_ascii())
    }

    /// The MAIL command.
    pub fn mail(&self, content: &[u8], offer: &Offer) -> String {
        let mut line = format!("MAIL FROM:<{}>", self.reverse_path);
        if offer.size {
            let _ = write!(line, " SIZE={}", content.len());
        }
        // To a server without 8BITMIME it goes as it is: encoding it anew
        // would break signatures, and such servers pass eight bits in practice.
        if offer.eight_bit_mime && !content.is_ascii() {
            line.push_str(" BODY=8BITMIME");
        }
        if offer.smtputf8 && self.needs_utf8(content) {
            line.push_str(" SMTPUTF8");
        }
        if self.require_tls && offer.require_tls {
            line.push_str(" REQUIRETLS");
        }
        if let Some((by, seconds)) = self.deliver_by.filter(|_| offer.deliver_by.is_some()) {
            let seconds = seconds.clamp(-999_999_999, 999_999_999);
            let _ = write!(line, " BY={seconds};{}", by.word());
        }
        if offer.dsn {
            line.push_str(if self.ret == DsnReturn::Full { " RET=FULL" } else { " RET=HDRS" });
            if let Some(envid) = &self.envid {
                let _ = write!(line, " ENVID={}", xtext::encode(envid));
            }
        }
        line.push_str("\r\n");
        line
    }
}

impl To {
    /// The RCPT command.
    pub fn rcpt(&self, offer: &Offer) -> String {
        let mut line = format!("RCPT TO:<{}>", self.address);
        if offer.dsn {
            let _ = write!(line, " NOTIFY={}", notify(self.notify));
            if let Some((kind, address)) = self.orcpt.as_deref().and_then(|o| o.split_once(';')) {
                let _ = write!(line, " ORCPT={kind};{}", xtext::encode(address));
            }
        }
        line.push_str("\r\n");
        line
    }
}

fn notify(notify: Notify) -> String {
    let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let words: Vec<&str> = words.iter().filter_map(|(on, word)| on.then_some(*word)).collect();
    if words.is_empty() { "NEVER".to_owned() } else { words.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::smtp::reply::Mechanisms;

    const ALL: Offer = Offer {
        pipelining: true,
        eight_bit_mime: true,
        smtputf8: true,
        dsn: true,
        starttls: true,
        auth: Mechanisms { plain: true, login: true },
        require_tls: true,
        size: true,
        max_size: Some(100),
        deliver_by: Some(30),
        most_recipients: None,
        most_messages: None,
    };

    fn envelope() -> Envelope {
        let orcpt = Some("rfc822;b+c@d.example".to_owned());
        let to = To { address: "b@d.example".to_owned(), notify: Notify::default(), orcpt };
        Envelope {
            reverse_path: "a@b.example".to_owned(),
            envid: Some("x y".to_owned()),
            recipients: vec![to],
            ..Envelope::default()
        }
    }

    #[test]
    fn parameters_are_those_the_server_knows() {
        let (envelope, content) = (envelope(), "a: b\r\n\r\nü".as_bytes());
        assert_eq!(envelope.mail(content, &Offer::default()), "MAIL FROM:<a@b.example>\r\n");
        assert_eq!(
            envelope.mail(content, &ALL),
            "MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=x+20y\r\n"
        );
        let to = &envelope.recipients[0];
        assert_eq!(to.rcpt(&Offer::default()), "RCPT TO:<b@d.example>\r\n");
        assert_eq!(
            to.rcpt(&ALL),
            "RCPT TO:<b@d.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b+2Bc@d.example\r\n"
        );
        let never = Notify { success: false, failure: false, delay: false };
        assert!(
            To { notify: never, orcpt: None, ..to.clone() }.rcpt(&ALL).contains("NOTIFY=NEVER")
        );
        let null = Envelope { ret: DsnReturn::Full, ..Envelope::default() };
        assert_eq!(null.mail(b"", &ALL), "MAIL FROM:<> SIZE=0 RET=FULL\r\n");
    }

    #[test]
    fn what_the_server_cannot_take_is_not_sent() {
        let obstacle = |envelope: &Envelope, content: &str, offer: &Offer| {
            envelope.obstacle(content.as_bytes(), offer, false).and_then(|reply| reply.enhanced)
        };
        let plain = envelope();
        assert_eq!(obstacle(&plain, "a: b\r\n\r\nü", &Offer::default()), None);
        assert_eq!(obstacle(&plain, "a: ü\r\n\r\n", &Offer::default()), Some((5, 6, 7)));
        assert_eq!(obstacle(&plain, "a: ü\r\n\r\n", &ALL), None);
        assert_eq!(obstacle(&plain, &"x".repeat(101), &ALL), Some((5, 3, 4)));
        let secret = Envelope { require_tls: true, ..envelope() };
        assert_eq!(obstacle(&secret, "", &ALL), Some((5, 7, 30)));
        assert_eq!(secret.obstacle(b"", &ALL, true), None);
        let report = Envelope { reverse_path: String::new(), ..secret };
        assert_eq!(obstacle(&report, "", &Offer::default()), None);
        assert!(!report.mail(b"", &Offer::default()).contains("REQUIRETLS"));
        assert!(report.mail(b"", &ALL).contains(" REQUIRETLS"));
    }
}
