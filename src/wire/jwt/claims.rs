//! What a token claims (RFC 7519 §4.1), and what of it has to fit.

use serde::Deserialize;

/// How far clocks may differ, in seconds.
const LEEWAY: f64 = 10.0;

/// The claims of a token whose signature is good.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Claims {
    /// Who issued it.
    iss: String,
    /// Whom it speaks of.
    sub: String,
    /// Until when, in seconds since 1970.
    exp: f64,
    /// From when.
    nbf: Option<f64>,
    /// For whom.
    aud: Option<Audience>,
    /// Who asked for it (OpenID Connect Core §2).
    azp: Option<String>,
    /// The same in an access token (RFC 9068 §2.2).
    client_id: Option<String>,
    /// Clerk: the organisation that is active, in the first version of its tokens.
    org_id: Option<String>,
    /// Clerk: the same in the second.
    o: Option<Organisation>,
    /// Clerk: `pending` while something is left to be done before somebody is signed in.
    sts: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
struct Organisation {
    id: String,
}

/// What a token has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// Its issuer, letter for letter.
    pub issuer: String,
    /// One of its audiences has to be here; empty: it does not matter.
    pub audiences: Vec<String>,
    /// Whoever asked for it has to be here; empty: it does not matter.
    pub parties: Vec<String>,
}

/// Why a token is not for us, or not for now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Wrong {
    /// Another issuer.
    #[error("another issuer")]
    Issuer,
    /// It has ended.
    #[error("expired")]
    Expired,
    /// It has not begun.
    #[error("not valid yet")]
    Early,
    /// It is for others.
    #[error("another audience")]
    Audience,
    /// Others asked for it.
    #[error("another authorised party")]
    Party,
    /// Its session is not signed in yet.
    #[error("a pending session")]
    Pending,
}

impl Claims {
    /// Whether the token is for us and for `now`, in seconds since 1970.
    pub fn check(&self, expected: &Expected, now: f64) -> Result<(), Wrong> {
        if self.iss != expected.issuer {
            return Err(Wrong::Issuer);
        }
        // Written so that what is no number is in time for nothing.
        let lasts = now < self.exp + LEEWAY;
        if !lasts {
            return Err(Wrong::Expired);
        }
        if self.nbf.is_some_and(|from| now < from - LEEWAY) {
            return Err(Wrong::Early);
        }
        if !expected.audiences.is_empty() && !self.is_for(&expected.audiences) {
            return Err(Wrong::Audience);
        }
        let party = self.azp.as_ref().or(self.client_id.as_ref());
        let known = party.is_some_and(|party| expected.parties.contains(party));
        if !expected.parties.is_empty() && !known {
            return Err(Wrong::Party);
        }
        match self.sts.as_deref() {
            Some("pending") => Err(Wrong::Pending),
            _ => Ok(()),
        }
    }

    fn is_for(&self, audiences: &[String]) -> bool {
        match &self.aud {
            None => false,
            Some(Audience::One(one)) => audiences.contains(one),
            Some(Audience::Many(many)) => many.iter().any(|one| audiences.contains(one)),
        }
    }

    /// Whom the token speaks of.
    pub fn subject(&self) -> &str {
        &self.sub
    }

    /// The organisation that it names.
    pub fn organisation(&self) -> Option<&str> {
        self.o.as_ref().map(|o| o.id.as_str()).or(self.org_id.as_deref())
    }
}
