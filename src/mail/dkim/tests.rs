use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Instant;

use mail_auth::dkim::DomainKey;
use mail_auth::dns::TxtRecordParser as _;
use mail_auth::{
    AuthenticatedMessage, DkimResult, DnsCache, MessageAuthenticator, NoCache, Parameters,
    ResolverCache, TxtRecord,
};

use super::*;
use crate::mail::keys::Pair;
use crate::wire::dkim::{key_record, tag};

const MESSAGE: &str = "From: Jo <jo@acme.example>\r\nTo: a@b.example\r\nSubject:  Hello\r\n \
    there\r\nDate: Mon, 01 Feb 2027 10:00:00 +0000\r\nReceived: first\r\n\r\nDear  all, \r\n\r\nbye\r\n\r\n";
const AT: i64 = 1_800_000_000;

/// Key records by name; the verifier asks nobody else.
#[derive(Default)]
struct Zone(Mutex<HashMap<Box<str>, TxtRecord>>);

impl ResolverCache<Box<str>, TxtRecord> for Zone {
    fn get<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn remove<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.lock().unwrap().remove(name)
    }

    fn insert(&self, name: Box<str>, record: TxtRecord, _: Instant) {
        self.0.lock().unwrap().insert(name, record);
    }
}

impl DnsCache for Zone {
    type Txt = Self;
    type Mx = NoCache;
    type Ipv4 = NoCache;
    type Ipv6 = NoCache;
    type Ptr = NoCache;

    fn txt(&self) -> Option<&Self> {
        Some(self)
    }
    fn mx(&self) -> Option<&NoCache> {
        None
    }
    fn ipv4(&self) -> Option<&NoCache> {
        None
    }
    fn ipv6(&self) -> Option<&NoCache> {
        None
    }
    fn ptr(&self) -> Option<&NoCache> {
        None
    }
}

/// A signer of each algorithm and the zone that publishes their keys.
fn signers() -> (Vec<Signer>, Zone) {
    let zone = Zone::default();
    let signers = Algorithm::ALL.map(|algorithm| {
        let (pair, selector) = (Pair::generate(algorithm).unwrap(), algorithm.key_type());
        let record = key_record(algorithm.key_type(), &pair.public);
        let record = DomainKey::parse(record.as_bytes()).unwrap();
        let name = format!("{selector}._domainkey.acme.example.").into_boxed_str();
        zone.insert(name, record.into(), Instant::now());
        Signer::new("acme.example", selector, algorithm, &pair.pkcs8).unwrap()
    });
    (signers.into(), zone)
}

async fn passes(zone: &Zone, message: &[u8]) -> Vec<bool> {
    let verifier = MessageAuthenticator::new_cloudflare().unwrap();
    let message = AuthenticatedMessage::parse(message).unwrap();
    let results = verifier.verify_dkim(Parameters::new(&message).with_cache(zone)).await;
    results.iter().map(|output| *output.result() == DkimResult::Pass).collect()
}

fn signed(message: &str, signers: &[Signer]) -> Vec<u8> {
    let mut out = sign(message.as_bytes(), signers, AT).unwrap();
    out.extend_from_slice(message.as_bytes());
    out
}

#[tokio::test]
async fn both_signatures_verify_and_any_change_breaks_both() {
    let (signers, zone) = signers();
    let signed = String::from_utf8(signed(MESSAGE, &signers)).unwrap();
    assert_eq!(passes(&zone, signed.as_bytes()).await, [true, true]);
    for (from, to, verifies) in [
        ("bye", "Bye", false),
        ("there", "here", false),
        ("From: Jo", "From: Eve", false),
        ("Received: first", "Received: second", true),
        ("Dear  all, ", "Dear all,", true),
        // What is signed once more than it is there cannot be added.
        ("Received:", "From: eve@evil.example\r\nReceived:", false),
        ("Received:", "Subject: again\r\nReceived:", false),
        ("Received:", "List-Unsubscribe: <https://evil.example>\r\nReceived:", false),
        ("Received:", "Feedback-ID: x:y:z:evil\r\nReceived:", false),
        ("Received:", "Content-Type: text/html\r\nReceived:", false),
    ] {
        let changed = signed.replacen(from, to, 1);
        assert_ne!(changed, signed);
        assert_eq!(passes(&zone, changed.as_bytes()).await, [verifies; 2], "{from} -> {to}");
    }
}

#[tokio::test]
async fn hostile_shapes_verify_too() {
    let (signers, zone) = signers();
    for message in [
        "From: a@acme.example\r\n\r\n".to_owned(),
        "from:a@acme.example\r\n\r\nno line break at the end".to_owned(),
        "From: a@acme.example\r\nTO:\r\nto: b\r\nTo:\t c \r\n\t d\r\n\r\n \r\n\t\r\n".to_owned(),
        format!("From: a@acme.example\r\n\r\n{}", "a \t b\r\n\r\n".repeat(5000)),
    ] {
        assert_eq!(passes(&zone, &signed(&message, &signers)).await, [true, true], "{message:.60}");
    }
}

#[test]
fn the_same_message_at_the_same_time_is_signed_alike() {
    let (signers, _) = signers();
    let first = sign(MESSAGE.as_bytes(), &signers, AT).unwrap();
    assert_eq!(first, sign(MESSAGE.as_bytes(), &signers, AT).unwrap());
    assert_ne!(first, sign(MESSAGE.as_bytes(), &signers, AT + 1).unwrap());
    let text = String::from_utf8(first).unwrap();
    assert_eq!(text.matches("DKIM-Signature: v=1;").count(), 2);
    assert_eq!(text.matches("c=relaxed/relaxed").count(), 2);
    assert_eq!(text.matches("t=1800000000").count(), 2);
    assert_eq!(tag(&text, "l"), None);
    assert!(tag(&text, "h").unwrap().starts_with("From:From:Reply-To:To:To:"), "{text}");
    assert!(text.ends_with("\r\n") && text.split("\r\n").all(|line| line.len() < 100), "{text}");
}

#[test]
fn without_a_from_or_a_signer_nothing_is_signed() {
    let (signers, _) = signers();
    let error = sign(b"To: a@b.example\r\n\r\n", &signers, AT).unwrap_err();
    assert!(matches!(error, Error::Rejected(Reason::BadFrom)));
    assert!(sign(MESSAGE.as_bytes(), &[], AT).unwrap().is_empty());
    assert!(Signer::new("acme.example", "s", Algorithm::Rsa, b"no key").is_err());
}

#[tokio::test]
async fn a_seal_holds_and_another_goes_on_with_it() {
    let (signers, zone) = signers();
    let signer = signers.iter().find(|signer| signer.is_rsa()).unwrap();
    let verdict = |raw: Vec<u8>| {
        let zone = &zone;
        async move {
            let verifier = MessageAuthenticator::new_cloudflare().unwrap();
            let message = AuthenticatedMessage::parse(&raw).unwrap();
            verifier.verify_arc(Parameters::new(&message).with_cache(zone)).await.result().clone()
        }
    };
    let seal =
        |raw: &str| crate::mail::arc::seal(raw.as_bytes(), signer, "mx.here.test", AT).unwrap();
    let results =
        "Authentication-Results: mx.here.test;\r\n\tspf=pass smtp.mailfrom=a@b;\r\n\tarc=pass\r\n";
    let once = format!("{results}{MESSAGE}");
    let set = seal(&once).unwrap();
    assert!(set.contains("cv=none") && set.contains("i=1; mx.here.test; spf=pass"), "{set}");
    assert_eq!(seal(&once).unwrap(), set, "the same octets every time");
    let once = format!("{set}{once}");
    assert_eq!(verdict(once.clone().into_bytes()).await, DkimResult::Pass);
    let set = seal(&once).unwrap();
    assert!(set.contains("cv=pass") && set.contains("i=2;"), "{set}");
    let twice = format!("{set}{once}");
    assert_eq!(verdict(twice.clone().into_bytes()).await, DkimResult::Pass);
    let changed = twice.replace("bye", "BYE");
    assert_ne!(verdict(changed.into_bytes()).await, DkimResult::Pass);
    // A chain that nobody here has looked at is not vouched for.
    assert_eq!(seal(&once.replace("arc=pass", "arc=fail")), None);
    assert_eq!(seal(&once.replace("ARC-Seal", "X-Seal")), None);
}
