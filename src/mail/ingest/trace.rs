//! Trace fields: Return-Path, Delivered-To, Received (RFC 5321 §4.4).

use std::fmt::Write as _;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::QueueId;
use crate::mail::client::Client;

/// What the trace fields of one message say.
pub struct Stamp<'a> {
    /// Our name.
    pub hostname: &'a str,
    /// The id in our 250.
    pub queue_id: QueueId,
    /// What MAIL said.
    pub mail_from: &'a MailFrom,
    /// Who sent it.
    pub client: &'a Client,
    /// It is named even where it logged in.
    pub names_client: bool,
    /// The recipient, where there is one only.
    pub recipient: Option<&'a Recipient>,
    /// Further fields, above Received: what was found out (RFC 8601 §4).
    pub found: &'a str,
    /// This is the final delivery: Return-Path and Delivered-To are written.
    pub delivered_to: bool,
}

impl Stamp<'_> {
    /// The fields, each ended by CRLF.
    pub fn fields(&self) -> Vec<u8> {
        let mut out = String::with_capacity(512);
        if self.delivered_to {
            let _ = write!(out, "Return-Path: <{}>\r\n", self.mail_from.reverse_path.as_str());
            if let Some(recipient) = self.recipient {
                let _ = write!(out, "Delivered-To: {}\r\n", recipient.address);
            }
        }
        out.push_str(self.found);
        let _ = write!(
            out,
            "Received: {}\r\n\tby {} with {}{} id {}{};\r\n\t{}\r\n",
            self.origin_clause(),
            self.hostname,
            self.client.protocol(self.mail_from.smtputf8),
            self.tls_comment(),
            self.queue_id,
            self.for_clause(),
            date(OffsetDateTime::now_utc()),
        );
        out.into_bytes()
    }

    /// Where somebody logged in, it is nobody's business from where, unless the settings say so.
    fn origin_clause(&self) -> String {
        if self.client.login.is_some() && !self.names_client {
            return "from authenticated-user".into();
        }
        format!("from {} ([{}])", word(&self.client.helo), self.client.ip.to_canonical())
    }

    fn tls_comment(&self) -> String {
        self.client.tls.as_deref().map(|tls| format!(" ({})", word(tls))).unwrap_or_default()
    }

    fn for_clause(&self) -> String {
        self.recipient.map(|r| format!("\r\n\tfor <{}>", r.address)).unwrap_or_default()
    }
}

/// A peer's word, fit for a header field: nothing but graphic ASCII and spaces
/// without parentheses, at most 255 octets.
fn word(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|c| (c.is_ascii_graphic() || *c == ' ') && !"()<>;\\".contains(*c))
        .take(255)
        .collect();
    if clean.is_empty() { "unknown".into() } else { clean }
}

/// A date as RFC 5322 §3.3 writes it.
pub fn date(when: OffsetDateTime) -> String {
    // Formatting fails only outside the years 1900 to 9999.
    when.format(&Rfc2822).unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 +0000".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Address;
    use crate::domain::ids::{AddressId, TenantId};
    use crate::mail::client::Identity;

    fn client(helo: &str) -> Client {
        Client {
            ip: "::ffff:192.0.2.7".parse().unwrap(),
            helo: helo.into(),
            tls: Some("TLS1.3 TLS13_AES_256_GCM_SHA384".into()),
            esmtp: true,
            login: None,
        }
    }

    #[test]
    fn the_fields_say_who_sent_what_to_whom() {
        let recipient = Recipient::plain(Address::parse("bob@example.org").unwrap());
        let stamp = Stamp {
            hostname: "mx.example.org",
            queue_id: QueueId(uuid::Uuid::nil()),
            mail_from: &MailFrom::default(),
            client: &client("mail.example.net"),
            names_client: false,
            recipient: Some(&recipient),
            found: "X-Found: nothing\r\n",
            delivered_to: true,
        };
        let text = String::from_utf8(stamp.fields()).unwrap();
        let expected = "Return-Path: <>\r\nDelivered-To: bob@example.org\r\n\
            X-Found: nothing\r\nReceived: from mail.example.net ([192.0.2.7])\r\n\
            \tby mx.example.org with ESMTPS (TLS1.3 TLS13_AES_256_GCM_SHA384) \
            id 00000000-0000-0000-0000-000000000000\r\n\tfor <bob@example.org>;\r\n\t";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.ends_with(" +0000\r\n"), "{text}");
    }

    #[test]
    fn from_where_somebody_submits_is_told_where_that_is_wanted() {
        let login = Identity {
            tenant: TenantId::random(),
            address_id: AddressId::random(),
            address: Address::parse("ann@example.org").unwrap(),
        };
        let client = Client { login: Some(login), ..client("laptop") };
        for (names_client, expected) in
            [(false, "from authenticated-user\r\n"), (true, "from laptop ([192.0.2.7])\r\n")]
        {
            let stamp = Stamp {
                hostname: "mx.example.org",
                queue_id: QueueId(uuid::Uuid::nil()),
                mail_from: &MailFrom::default(),
                client: &client,
                names_client,
                recipient: None,
                found: "",
                delivered_to: false,
            };
            let text = String::from_utf8(stamp.fields()).unwrap();
            assert!(text.starts_with(&format!("Received: {expected}")), "{text}");
        }
    }

    #[test]
    fn a_peer_cannot_write_fields_of_its_own() {
        assert_eq!(word("x\r\nBcc: me"), "xBcc: me");
        assert_eq!(word("(a;b)\0"), "ab");
        assert_eq!(word("\r\n"), "unknown");
        assert_eq!(word(&"a".repeat(1000)).len(), 255);
    }

    #[test]
    fn dates_are_those_of_rfc_5322() {
        let when = OffsetDateTime::from_unix_timestamp(880_127_706).unwrap();
        assert_eq!(date(when), "Fri, 21 Nov 1997 15:55:06 +0000");
    }
}
