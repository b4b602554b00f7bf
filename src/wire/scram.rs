//! SCRAM-SHA-256 (RFC 5802, RFC 7677): its messages and its sums, for every protocol.

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::num::NonZeroU32;

/// Octets of a hash.
pub const LEN: usize = 32;
/// The longest nonce of a client that is taken.
const MAX_NONCE: usize = 256;

/// What the server keeps of a password (RFC 5802 §3): enough to check a proof and to give one, not
/// enough to make the client's.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The hash of the client's key.
    pub stored: [u8; LEN],
    /// Signs what the server says.
    pub server: [u8; LEN],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    /// Derives them. Slow on purpose: `iterations` HMACs.
    pub fn derive(password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Self {
        let mut salted = [0; LEN];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password, &mut salted);
        let client = sign(&salted, b"Client Key");
        Self { stored: sha256(&client), server: sign(&salted, b"Server Key") }
    }
}

/// What a client says about the channel under it (RFC 5802 §6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binding {
    /// `n`: it knows of no channel binding.
    Unknown,
    /// `y`: it could, and believes that the server cannot.
    NotOffered,
    /// `p`: it binds to the channel in this way.
    Type(String),
}

/// The first message of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFirst {
    /// What it says of the channel.
    pub binding: Binding,
    /// Whom to act as; empty for oneself.
    pub authzid: String,
    /// Who is logging in.
    pub user: String,
    nonce: String,
    /// What stands before `bare`, repeated in the last message.
    header: String,
    bare: String,
}

impl ClientFirst {
    /// Reads it; `None` where it is not one.
    ///
    /// ```abnf
    /// client-first-message = gs2-cbind-flag "," ["a=" saslname] "," bare
    /// gs2-cbind-flag       = ("p=" cb-name) / "n" / "y"
    /// bare                 = "n=" saslname ",r=" c-nonce ["," extensions]
    /// ```
    pub fn parse(message: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok().filter(|text| !text.contains('\0'))?;
        let mut parts = text.splitn(3, ',');
        let (flag, authzid, bare) = (parts.next()?, parts.next()?, parts.next()?);
        let binding = match flag {
            "n" => Binding::Unknown,
            "y" => Binding::NotOffered,
            _ => Binding::Type(flag.strip_prefix("p=").filter(|name| !name.is_empty())?.to_owned()),
        };
        let authzid = match authzid {
            "" => String::new(),
            named => saslname(named.strip_prefix("a=")?)?,
        };
        let mut attributes = bare.split(',');
        // An extension that must be understood (`m=`) stands first, and there is none.
        let user = saslname(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let printable = nonce.bytes().all(|b| b.is_ascii_graphic());
        if user.is_empty() || !(1..=MAX_NONCE).contains(&nonce.len()) || !printable {
            return None;
        }
        Some(Self {
            binding,
            authzid,
            user,
            nonce: nonce.to_owned(),
            header: text[..text.len() - bare.len()].to_owned(),
            bare: bare.to_owned(),
        })
    }
}

/// `=2C` is a comma and `=3D` an equals sign (RFC 5802 §5.1).
pub(super) fn saslname(text: &str) -> Option<String> {
    let mut parts = text.split('=');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let rest = match part.get(..2)? {
            "2C" => (',', part.get(2..)?),
            "3D" => ('=', part.get(2..)?),
            _ => return None,
        };
        name.push(rest.0);
        name.push_str(rest.1);
    }
    Some(name)
}

/// The server's first message and what is needed to check the answer to it.
#[derive(Clone, Debug)]
pub struct Challenge {
    first: ClientFirst,
    nonce: String,
    message: String,
}

impl Challenge {
    /// `more` is the server's own part of the nonce: printable, no comma.
    pub fn new(first: ClientFirst, more: &str, salt: &[u8], iterations: NonZeroU32) -> Self {
        let nonce = format!("{}{more}", first.nonce);
        let message = format!("r={nonce},s={},i={iterations}", STANDARD.encode(salt));
        Self { first, nonce, message }
    }

    /// What the server says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Checks the last message of the client against `channel`, the channel's own octets where the
    /// client binds to them. What the proof has to be checked with, or `None` where it is none.
    pub fn answered(&self, message: &[u8], channel: &[u8]) -> Option<Answer> {
        let text = std::str::from_utf8(message).ok()?;
        let (unproven, proof) = text.rsplit_once(",p=")?;
        let mut attributes = unproven.split(',');
        let binding = STANDARD.decode(attributes.next()?.strip_prefix("c=")?).ok()?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let expected = [self.first.header.as_bytes(), channel].concat();
        if nonce != self.nonce || !same(&binding, &expected) {
            return None;
        }
        let proof = STANDARD.decode(proof).ok()?.try_into().ok()?;
        let signed = format!("{},{},{unproven}", self.first.bare, self.message);
        Some(Answer { signed, proof })
    }
}

/// A client's proof, and what it is a proof over.
#[derive(Clone, Debug)]
pub struct Answer {
    signed: String,
    proof: [u8; LEN],
}

impl Answer {
    /// The server's last message, where the proof is of the password behind `keys`.
    pub fn verify(&self, keys: &Keys) -> Option<String> {
        let mut client = sign(&keys.stored, self.signed.as_bytes());
        client.iter_mut().zip(self.proof).for_each(|(byte, proof)| *byte ^= proof);
        same(&sha256(&client), &keys.stored).then(|| {
            let signature = sign(&keys.server, self.signed.as_bytes());
            format!("v={}", STANDARD.encode(signature))
        })
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

fn sign(key: &[u8], message: &[u8]) -> [u8; LEN] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    fixed(tag.as_ref())
}

fn sha256(octets: &[u8]) -> [u8; LEN] {
    fixed(digest::digest(&digest::SHA256, octets).as_ref())
}

/// The octets of a SHA-256, which are as many.
fn fixed(octets: &[u8]) -> [u8; LEN] {
    let mut out = [0; LEN];
    out.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests;
