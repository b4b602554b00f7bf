//! DKIM signing (RFC 6376, RFC 8301, RFC 8463).
//!
//! The same message, keys and time give the same octets, so that a delivery that is tried again
//! sends what it sent before. The body is hashed once for all signatures, and all of it: there is
//! never an `l=` tag (RFC 6376 §8.2).

use aws_lc_rs::digest::{Context, SHA256};
use mail_auth::crypto::{DkimKey, Ed25519Key, RsaKey, SigningKey};
use mail_auth::dkim::{Canonicalization, Signature};
use mail_auth::headers::{Writable, Writer};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::mail::{Error, Reason};
use crate::wire::dkim::{relaxed_body, relaxed_field};
use crate::wire::mime::headers::{Field, block_len, fields};

/// What is signed (RFC 6376 §5.4.1), and whether it is signed once more than it is there, so that
/// nobody can add another one later: so it is with what a reader takes one of.
const SIGNED: &[(&str, bool)] = &[
    ("From", true),
    ("Reply-To", true),
    ("To", true),
    ("Cc", true),
    ("Subject", true),
    ("Date", true),
    ("Message-ID", true),
    ("MIME-Version", true),
    ("Content-Type", true),
    ("Content-Transfer-Encoding", true),
    ("Sender", false),
    ("In-Reply-To", false),
    ("References", false),
    ("List-Id", true),
    ("List-Help", true),
    ("List-Subscribe", true),
    ("List-Unsubscribe", true),
    ("List-Unsubscribe-Post", true),
    ("List-Post", true),
    ("List-Owner", true),
    ("List-Archive", true),
    ("Feedback-ID", true),
];

/// How a key signs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// RSA of 2048 bits with SHA-256.
    Rsa,
    /// Ed25519 (RFC 8463).
    Ed25519,
}

impl Algorithm {
    /// Both of them: a domain has a key of each.
    pub const ALL: [Self; 2] = [Self::Rsa, Self::Ed25519];

    /// The `a=` tag of its signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }

    /// The `k=` tag of its key records.
    pub fn key_type(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The algorithm of that `a=` tag.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A domain's key, ready to sign.
pub struct Signer {
    domain: String,
    selector: String,
    key: DkimKey,
}

impl Signer {
    /// A signer for `domain` with the private key `pkcs8`, which is published under `selector`.
    ///
    /// # Errors
    /// [`Error::Internal`] when that is no such key.
    pub fn new(
        domain: &str,
        selector: &str,
        algorithm: Algorithm,
        pkcs8: &[u8],
    ) -> Result<Self, Error> {
        let key = match algorithm {
            Algorithm::Rsa => {
                let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
                RsaKey::from_key_der(der).map(DkimKey::Rsa)
            }
            Algorithm::Ed25519 => Ed25519Key::from_pkcs8_der(pkcs8).map(DkimKey::Ed25519),
        };
        let key = key.map_err(|error| failed(&error))?;
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key })
    }

    /// `d=`.
    pub(in crate::mail) fn domain(&self) -> &str {
        &self.domain
    }

    /// `s=`.
    pub(in crate::mail) fn selector(&self) -> &str {
        &self.selector
    }

    /// Whether its key is RSA, which every verifier knows.
    pub(in crate::mail) fn is_rsa(&self) -> bool {
        matches!(self.key, DkimKey::Rsa(_))
    }

    /// The signature of `octets` as they are.
    pub(in crate::mail) fn sign_octets(&self, octets: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.sign(Octets(octets)).map_err(|error| failed(&error))
    }

    fn sign(&self, signed: &Signed, at: u64) -> Result<Signature, Error> {
        let mut signature = Signature {
            v: 1,
            a: self.key.algorithm(),
            d: self.domain.clone(),
            s: self.selector.clone(),
            bh: signed.body_hash.clone(),
            h: signed.names.iter().map(|name| (*name).to_owned()).collect(),
            t: at,
            ch: Canonicalization::Relaxed,
            cb: Canonicalization::Relaxed,
            ..Signature::default()
        };
        let input = Input { fields: &signed.fields, signature: &signature };
        signature.b = self.key.sign(input).map_err(|error| failed(&error))?;
        Ok(signature)
    }
}

/// The DKIM-Signature fields to put in front of `raw`, one of each signer; `at` is their time in
/// seconds since 1970.
///
/// Signs with RSA for about half a millisecond of CPU.
///
/// # Errors
/// [`Reason::BadFrom`] without a From field, which no signature may leave out (RFC 6376 §5.4);
/// [`Error::Internal`] when a key cannot sign.
pub fn sign(raw: &[u8], signers: &[Signer], at: i64) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    if signers.is_empty() {
        return Ok(out);
    }
    let at = u64::try_from(at).map_err(|_| Error::Internal("a time before 1970".to_owned()))?;
    let signed = Signed::of(raw)?;
    for signer in signers {
        signer.sign(&signed, at)?.write(&mut out, true);
    }
    Ok(out)
}

/// What all signatures of one message share.
struct Signed {
    /// The `h=` tag.
    names: Vec<&'static str>,
    /// The canonical fields in the order of `names`.
    fields: Vec<u8>,
    body_hash: Vec<u8>,
}

impl Signed {
    fn of(raw: &[u8]) -> Result<Self, Error> {
        let (head, body) = raw.split_at(block_len(raw));
        let mut found: Vec<(usize, Field<'_>)> = fields(head)
            .filter_map(|field| Some((SIGNED.iter().position(|(name, _)| field.is(name))?, field)))
            .collect();
        // Fields of one name are signed from the last to the first (RFC 6376 §5.4.2).
        found.reverse();
        found.sort_by_key(|(position, _)| *position);
        if found.first().is_none_or(|(position, _)| *position != 0) {
            return Err(Reason::BadFrom.into());
        }
        let (mut names, mut canonical) = (Vec::new(), Vec::new());
        let mut found = found.into_iter().peekable();
        for (position, (name, once_more)) in SIGNED.iter().enumerate() {
            while let Some((_, field)) = found.next_if(|(at, _)| *at == position) {
                relaxed_field(name, field.value, &mut canonical);
                names.push(*name);
            }
            if *once_more {
                names.push(*name);
            }
        }
        let mut hash = Context::new(&SHA256);
        relaxed_body(body, |piece| hash.update(piece));
        Ok(Self { names, fields: canonical, body_hash: hash.finish().as_ref().to_vec() })
    }
}

/// What is signed: the fields, then the signature's own field without its value (RFC 6376 §3.7).
struct Input<'a> {
    fields: &'a [u8],
    signature: &'a Signature,
}

impl Writable for Input<'_> {
    fn write(self, writer: &mut impl Writer) {
        writer.write(self.fields);
        self.signature.write(writer, false);
    }
}

/// Something canonical already.
struct Octets<'a>(&'a [u8]);

impl Writable for Octets<'_> {
    fn write(self, writer: &mut impl Writer) {
        writer.write(self.0);
    }
}

fn failed(error: &mail_auth::Error) -> Error {
    Error::Internal(format!("DKIM: {error}"))
}

#[cfg(test)]
mod tests;
