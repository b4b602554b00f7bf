//! Who a message is really from: SPF, DKIM, ARC and the client's name at once, then DMARC.
//!
//! The one place that checks signatures and policies; the library is asked method by method and
//! answers in its own words, which end here. DNS answers are kept for their TTL. Whatever the
//! world's name servers do, the whole takes [`TIME`] at most: what is not known by then is
//! `temperror`, and no policy follows from that (RFC 9989 §5.3.6).

mod author;
mod checks;
mod counting;
mod cover;
mod field;
mod message;
mod policy;

pub(in crate::mail) use cover::spf_of;

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mail_auth::dkim::DomainKey;
use mail_auth::dmarc::DmarcRecord;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, MessageAuthenticator, NoCache, SpfOutput, SpfResult,
};
use tokio::time::{Instant, timeout_at};

use crate::domain::envelope::MailFrom;
use crate::domain::verdict::{Dmarc, Outcome, Signature, Verdict};
use crate::mail::Error;
use crate::mail::client::Client;
use crate::mail::reporting::Tally;
use crate::net::dns::Resolver;
use crate::wire::mime::headers::{block_len, find_all};

/// How long all of it may take.
const TIME: Duration = Duration::from_secs(10);
/// Octets of a header in which signatures are looked for.
const MAX_HEADER: usize = 256 * 1024;
/// Labels of a domain above which the tree walk looks (RFC 9989 §4.10).
const MAX_WALK: usize = 8;

/// Checks messages. Cheap to clone.
#[derive(Clone)]
pub struct Authenticity(Arc<Inner>);

struct Inner {
    library: MessageAuthenticator,
    hostname: String,
    trusted_sealers: Vec<String>,
    tally: Tally,
}

impl Authenticity {
    /// Asks the name servers of `resolver`; `hostname` is the authserv-id (RFC 8601 §2.5), and what
    /// the domains of `trusted_sealers` say in an ARC chain may stand against a policy. What is found
    /// out is counted in `tally`.
    ///
    /// # Errors
    /// [`Error::Internal`] when no resolver can be made of these settings.
    pub fn new(
        resolver: &Resolver,
        hostname: &str,
        trusted_sealers: Vec<String>,
        tally: Tally,
    ) -> Result<Self, Error> {
        let (config, options) = resolver.settings();
        let library = MessageAuthenticator::new(config, options)
            .map_err(|error| Error::Internal(format!("authenticity: {error}")))?;
        let hostname = hostname.to_owned();
        Ok(Self(Arc::new(Inner { library, hostname, trusted_sealers, tally })))
    }

    /// Everything that can be found out about who sent `content`, and what follows from it: the
    /// disposition says Junk where the policy of the From domain does.
    ///
    /// # Errors
    /// [`crate::mail::Reason::BadFrom`] without exactly one From field;
    /// [`crate::mail::Reason::NotAuthentic`] where the policy of the From domain is to refuse it.
    pub async fn judge(
        &self,
        content: &[u8],
        client: &Client,
        mail_from: &MailFrom,
    ) -> Result<Verdict, Error> {
        let authors = author::domains(content)?;
        let header = content.get(..block_len(content)).unwrap_or_default();
        // A huge one is nobody's who signs; copying and parsing it would be work for nothing.
        let header = if header.len() > MAX_HEADER { b"" } else { header };
        let cut = message::bounded(header);
        let message =
            (!header.is_empty()).then(|| message::read(content, cut.as_deref())).flatten();
        let header = cut.as_deref().unwrap_or(header);
        let until = Instant::now() + TIME;
        let question = Question { us: &self.0, client, mail_from, until };
        let (spf, signed, chain, (iprev, ptr), ()) = tokio::join!(
            question.spf(),
            question.dkim(message.as_ref()),
            question.arc(message.as_ref()),
            question.iprev(client.ip),
            question.look_ahead(&authors, header),
        );
        let (outputs, dkim) = signed;
        let (arc, sealer) = chain;
        let (dmarc, record) = question.dmarc(&authors, &spf, &outputs).await;
        let mut verdict = Verdict {
            spf: checks::spf_outcome(spf.result()),
            spf_domain: spf.domain().to_owned(),
            dkim,
            dmarc,
            arc,
            iprev,
            ptr,
            ..Verdict::default()
        };
        let applied = policy::apply(&mut verdict, sealer);
        let found = (&verdict, applied.is_err());
        let work = self.0.count(record, found, (client, mail_from, header));
        question.in_time(work, || ()).await;
        applied.map(|()| verdict)
    }
}

/// One message's checks.
struct Question<'a> {
    us: &'a Inner,
    client: &'a Client,
    mail_from: &'a MailFrom,
    until: Instant,
}

impl Question<'_> {
    /// What `work` finds, or `late` when time is up.
    async fn in_time<T>(&self, work: impl Future<Output = T>, late: impl FnOnce() -> T) -> T {
        timeout_at(self.until, work).await.unwrap_or_else(|_| late())
    }

    /// The domain that SPF is asked for.
    fn spf_domain(&self) -> &str {
        let sender = self.mail_from.reverse_path.0.as_ref();
        sender.map_or(self.client.helo.as_str(), |sender| sender.domain())
    }

    async fn spf(&self) -> SpfOutput {
        let work = checks::spf(&self.us.library, &self.us.hostname, self.client, self.mail_from);
        let late =
            || SpfOutput::new(self.spf_domain().to_owned()).with_result(SpfResult::TempError);
        self.in_time(work, late).await
    }

    async fn dkim<'x>(
        &self,
        message: Option<&'x AuthenticatedMessage<'x>>,
    ) -> (Vec<DkimOutput<'x>>, Vec<Signature>) {
        let Some(message) = message else { return Default::default() };
        let late = || {
            let unknown = Signature { result: Outcome::Temperror, ..Signature::default() };
            (Vec::new(), vec![unknown])
        };
        self.in_time(checks::dkim(&self.us.library, message), late).await
    }

    /// The chain's result, and the trusted sealer who saw the message pass.
    async fn arc<'x>(
        &self,
        message: Option<&'x AuthenticatedMessage<'x>>,
    ) -> (Outcome, Option<String>) {
        let Some(message) = message else { return (Outcome::None, None) };
        let work = async {
            let chain = self.us.library.verify_arc(message).await;
            let sealer = checks::trusted_sealer(&chain, &self.us.trusted_sealers);
            (checks::outcome(chain.result()), sealer)
        };
        self.in_time(work, || (Outcome::Temperror, None)).await
    }

    async fn iprev(&self, ip: IpAddr) -> (Outcome, Option<String>) {
        let late = || (Outcome::Temperror, None);
        self.in_time(checks::iprev(&self.us.library, ip), late).await
    }

    /// DMARC of each domain in From; the one that comes off worst counts.
    async fn dmarc(
        &self,
        authors: &[String],
        spf: &SpfOutput,
        dkim: &[DkimOutput<'_>],
    ) -> policy::Found {
        let mut all = Vec::with_capacity(authors.len());
        for domain in authors {
            let work = checks::dmarc(&self.us.library, domain, self.spf_domain(), spf, dkim);
            let late = || {
                let result = Outcome::Temperror;
                (Dmarc { result, domain: domain.clone(), ..Dmarc::default() }, None)
            };
            all.push(self.in_time(work, late).await);
        }
        policy::worst(all)
    }

    /// Asks beside the checks for what they ask for one after the other, so that the answers are
    /// at hand when their turn comes: policies up the tree, keys of all signatures.
    async fn look_ahead(&self, authors: &[String], header: &[u8]) {
        let library = &self.us.library;
        let policies = authors.iter().flat_map(|domain| walk(domain));
        let keys = find_all(header, "DKIM-Signature").filter_map(|field| key_name(field.value));
        let policies = policies.map(|name| async move {
            let _ = library.txt_lookup::<DmarcRecord>(name, None::<&NoCache>).await;
        });
        // One signature's key is asked for at once anyway.
        let keys = keys.skip(1).map(|name| async move {
            let _ = library.txt_lookup::<DomainKey>(name, None::<&NoCache>).await;
        });
        let (policies, keys) = (all(policies), all(keys));
        self.in_time(async { _ = tokio::join!(policies, keys) }, || ()).await;
    }
}

/// Runs them side by side, here and not in tasks.
async fn all(work: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut open: Vec<_> = work.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        open.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if open.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Where the policy of a domain may stand, in the order of the tree walk (RFC 9989 §4.10).
fn walk(domain: &str) -> impl Iterator<Item = String> + '_ {
    let labels = domain.split('.').count();
    let starts = std::iter::successors(Some(domain), |name| Some(name.split_once('.')?.1));
    let above = move |(index, _): &(usize, &str)| *index == 0 || labels - index < MAX_WALK;
    starts.enumerate().filter(above).map(|(_, name)| format!("_dmarc.{name}."))
}

/// Where the key of a signature stands (RFC 6376 §3.6.2.1).
fn key_name(signature: &[u8]) -> Option<String> {
    let tags = String::from_utf8_lossy(signature);
    let tag = |name| crate::wire::dkim::tag(&tags, name);
    Some(format!("{}._domainkey.{}.", tag("s")?, tag("d")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The walk of RFC 9989 §4.10.1: eight labels and more jump to the last seven.
    #[test]
    fn the_tree_is_walked_as_the_rfc_does() {
        let names = |domain| walk(domain).collect::<Vec<_>>();
        assert_eq!(names("example.com"), ["_dmarc.example.com.", "_dmarc.com."]);
        let deep = names("a.b.c.d.e.f.g.h.i.j.mail.example.com");
        assert_eq!(deep.len(), 8);
        assert_eq!(deep[0], "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com.");
        assert_eq!(deep[1], "_dmarc.g.h.i.j.mail.example.com.");
        assert_eq!(deep[7], "_dmarc.com.");
        let eight = names("a.b.c.d.e.f.g.com");
        assert_eq!(eight.len(), 8);
    }

    #[test]
    fn keys_stand_below_their_domain() {
        let name = key_name(b" v=1; d=example.org;\r\n s=one; b=").unwrap();
        assert_eq!(name, "one._domainkey.example.org.");
        assert_eq!(key_name(b"v=1; d=example.org"), None);
    }
}
