//! What is counted for the author's domain, and who wants to be told of it (RFC 9990).

use std::sync::Arc;

use mail_auth::dmarc::{DmarcRecord, Policy};
use mail_auth::{DnsError, Error as AuthError, NoCache};

use super::{Authenticity, Inner, walk};
use crate::domain::address::Address;
use crate::domain::envelope::MailFrom;
use crate::domain::report::Kind;
use crate::domain::verdict::{Outcome, Verdict};
use crate::mail::Error;
use crate::mail::client::Client;
use crate::mail::reporting::daily::Destination;
use crate::mail::reporting::dmarc::{Arrived, tuple};
use crate::wire::mime::headers::find;
use crate::wire::report::dmarc::Published;

impl Inner {
    /// Counts a message for the report to whoever published `record`, if that asks for one.
    pub(super) async fn count(
        &self,
        record: Option<Arc<DmarcRecord>>,
        (verdict, refused): (&Verdict, bool),
        (client, mail_from, header): (&Client, &MailFrom, &[u8]),
    ) {
        let judged = matches!(verdict.dmarc.result, Outcome::Pass | Outcome::Fail);
        let wanted = record.filter(|record| judged && !record.rua().is_empty());
        let Some(record) = wanted.filter(|_| self.tally.is_on()) else { return };
        // Reports about reports would never end.
        if verdict.dmarc.result == Outcome::Pass && brings_report(header) {
            return;
        }
        let Some(domain) = self.published_at(&verdict.dmarc.domain, &record).await else { return };
        let sender = mail_from.reverse_path.0.as_ref();
        let arrived = Arrived {
            ip: client.ip,
            envelope_from: sender.map_or("", Address::domain),
            verdict,
            refused,
        };
        match tuple(published(&domain, &record), &arrived) {
            Ok(tuple) => self.tally.count(Kind::Dmarc, &domain, tuple),
            Err(error) => tracing::error!(%error, "a message is not counted"),
        }
    }

    /// Where the tree walk from `author` found this record; the answers are at hand still.
    async fn published_at(&self, author: &str, record: &DmarcRecord) -> Option<String> {
        for name in walk(author) {
            let found = self.library.txt_lookup::<DmarcRecord>(name.as_str(), None::<&NoCache>);
            if found.await.is_ok_and(|found| *found == *record) {
                return Some(name.trim_start_matches("_dmarc.").trim_end_matches('.').to_owned());
            }
        }
        None
    }
}

fn published(domain: &str, record: &DmarcRecord) -> Published {
    let word = |policy: Policy| policy.to_string();
    Published {
        domain: domain.to_owned(),
        discovery_method: "treewalk".to_owned(),
        p: word(record.p),
        sp: word(record.sp),
        np: word(record.np),
        adkim: record.adkim.to_string(),
        aspf: record.aspf.to_string(),
        testing: if record.t { "y" } else { "n" }.to_owned(),
    }
}

/// Whether the subject is a report's.
fn brings_report(header: &[u8]) -> bool {
    const BEGIN: &[u8] = b"report domain:";
    find(header, "Subject").is_some_and(|subject| {
        subject.text().get(..BEGIN.len()).is_some_and(|text| text.eq_ignore_ascii_case(BEGIN))
    })
}

impl Authenticity {
    /// Who wants aggregate reports about `domain`, where its policy stands. An address elsewhere
    /// counts only if that domain agrees (RFC 9990 §4).
    ///
    /// # Errors
    /// [`Error::Temporary`] when name servers do not answer.
    pub async fn report_destinations(&self, domain: &str) -> Result<Vec<Destination>, Error> {
        let library = &self.0.library;
        let name = format!("_dmarc.{domain}.");
        let record = match library.txt_lookup::<DmarcRecord>(name, None::<&NoCache>).await {
            Ok(record) => record,
            Err(error) => return nobody(error),
        };
        match library.authorized_report_addresses((domain, record.rua())).await {
            Ok(agreed) => {
                let destination = |uri: &&mail_auth::dmarc::Uri| {
                    let most = uri.max_size() as u64;
                    Some((Address::parse(uri.uri()).ok()?, (most > 0).then_some(most)))
                };
                Ok(agreed.iter().filter_map(destination).collect())
            }
            Err(error) => nobody(error),
        }
    }
}

/// An error that is an answer: nothing is published.
fn nobody(error: AuthError) -> Result<Vec<Destination>, Error> {
    match error {
        AuthError::Dns(DnsError::Resolver(text)) => Err(Error::Temporary(format!("DNS: {text}"))),
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_known_by_their_subject() {
        assert!(brings_report(b"Subject: Report domain: a Submitter: b\r\n\r\n"));
        assert!(!brings_report(b"Subject: Re: Report Domain\r\n\r\nSubject: Report Domain: x"));
        assert!(!brings_report(b"From: x\r\n\r\n"));
    }
}
