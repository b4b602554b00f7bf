//! Our Authentication-Results field (RFC 8601).

use super::Authenticity;
use crate::domain::envelope::MailFrom;
use crate::domain::verdict::{Dmarc, Outcome, Policy, Verdict};
use crate::mail::client::Client;
use crate::wire::auth_results::{AuthResults, claims, without_claims};

impl Authenticity {
    /// The field that says what was found out.
    pub fn field(&self, verdict: &Verdict, client: &Client, mail_from: &MailFrom) -> String {
        write(&self.0.hostname, verdict, client, mail_from)
    }

    /// Whether a header has fields that somebody else wrote in our name (RFC 8601 §5).
    pub fn has_forged(&self, header: &[u8]) -> bool {
        claims(header, &self.0.hostname)
    }

    /// A header without the fields that somebody else wrote in our name (RFC 8601 §5).
    pub fn without_forged(&self, header: &[u8]) -> Vec<u8> {
        without_claims(header, &self.0.hostname)
    }
}

fn write(us: &str, verdict: &Verdict, client: &Client, mail_from: &MailFrom) -> String {
    let mut field = AuthResults::new(us);
    let ip = client.ip.to_canonical().to_string();
    field.method("iprev", verdict.iprev.as_str()).property("policy.iprev", &ip);
    if let Some(name) = &verdict.ptr {
        field.comment(name);
    }
    field.method("spf", verdict.spf.as_str());
    match &mail_from.reverse_path.0 {
        Some(sender) => field.property("smtp.mailfrom", sender.as_str()),
        None => field.property("smtp.helo", &client.helo),
    };
    if verdict.dkim.is_empty() {
        field.method("dkim", Outcome::None.as_str());
    }
    for signature in &verdict.dkim {
        field.method("dkim", signature.result.as_str());
        if !signature.domain.is_empty() {
            field.property("header.d", &signature.domain).property("header.s", &signature.selector);
        }
    }
    dmarc(&mut field, &verdict.dmarc);
    if verdict.arc != Outcome::None {
        field.method("arc", verdict.arc.as_str());
    }
    field.finish()
}

/// `policy.dmarc` is what the domain asks for; an override is told of beside it.
fn dmarc(field: &mut AuthResults, dmarc: &Dmarc) {
    field.method("dmarc", dmarc.result.as_str());
    if !dmarc.domain.is_empty() {
        field.property("header.from", &dmarc.domain);
    }
    if dmarc.result != Outcome::None {
        let policy = match dmarc.policy {
            Policy::None => "none",
            Policy::Quarantine => "quarantine",
            Policy::Reject => "reject",
        };
        field.property("policy.dmarc", policy);
    }
    if let Some(sealer) = &dmarc.overridden_by {
        field.comment(&format!("overridden by arc sealer {sealer}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Address;
    use crate::domain::envelope::ReversePath;
    use crate::domain::verdict::Signature;

    fn client() -> Client {
        Client {
            ip: "::ffff:192.0.2.7".parse().unwrap(),
            helo: "mail.example.net".into(),
            tls: None,
            esmtp: true,
            login: None,
        }
    }

    #[test]
    fn it_says_all_that_was_found() {
        let verdict = Verdict {
            spf: Outcome::Softfail,
            dkim: vec![Signature {
                result: Outcome::Pass,
                domain: "example.org".into(),
                selector: "one".into(),
            }],
            dmarc: Dmarc {
                result: Outcome::Pass,
                domain: "example.org".into(),
                policy: Policy::Reject,
                dkim_aligned: true,
                ..Dmarc::default()
            },
            arc: Outcome::Fail,
            iprev: Outcome::Pass,
            ptr: Some("mail.example.net".into()),
            ..Verdict::default()
        };
        let sender = Address::parse("ann@example.org").unwrap();
        let mail_from = MailFrom { reverse_path: ReversePath(Some(sender)), ..MailFrom::default() };
        assert_eq!(
            write("mx.example", &verdict, &client(), &mail_from),
            "Authentication-Results: mx.example;\r\n\
             \tiprev=pass policy.iprev=192.0.2.7 (mail.example.net);\r\n\
             \tspf=softfail smtp.mailfrom=ann@example.org;\r\n\
             \tdkim=pass header.d=example.org header.s=one;\r\n\
             \tdmarc=pass header.from=example.org policy.dmarc=reject;\r\n\
             \tarc=fail\r\n"
        );
    }

    #[test]
    fn nothing_found_is_said_too() {
        let text = write("mx.example", &Verdict::default(), &client(), &MailFrom::default());
        assert_eq!(
            text,
            "Authentication-Results: mx.example;\r\n\tiprev=none policy.iprev=192.0.2.7;\r\n\
             \tspf=none smtp.helo=mail.example.net;\r\n\tdkim=none;\r\n\tdmarc=none\r\n"
        );
    }
}
