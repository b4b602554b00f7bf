//! A login by SASL (RFC 4422), message by message: the same for every protocol, which only carries
//! the messages.

use std::net::IpAddr;

use super::Login;
use super::scram::Exchange;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::net::stream::ChannelBindings;
use crate::wire::sasl::{Mechanism, OAuthBearer, Plain};
use crate::wire::scram::ClientFirst;

/// One login.
pub struct Sasl {
    login: Login,
    peer: IpAddr,
    bindings: ChannelBindings,
    state: State,
}

/// What is waited for.
enum State {
    /// The first message.
    First(Mechanism),
    /// The password of this user (LOGIN).
    Password(String),
    /// The proof of SCRAM.
    Proof(Box<Exchange>),
    /// That the client has taken note of ours.
    Noted(Identity),
    /// Nothing any more; that it has taken note of a refusal.
    Over,
}

/// What follows a message.
pub enum Step {
    /// The client is told this, and answers.
    Challenge(Vec<u8>),
    /// It is over.
    End(End),
}

/// How a login ends.
pub enum End {
    /// Somebody has logged in.
    In(Identity),
    /// The message was none of the mechanism's.
    Unreadable,
    /// As [`Login::check`] says.
    Failed(Error),
}

impl Login {
    /// Which mechanisms work on a connection; with `bindable` it has something to bind to (RFC 5802
    /// §6).
    pub fn mechanisms(&self, bindable: bool) -> impl Iterator<Item = Mechanism> {
        Mechanism::ALL.into_iter().filter(move |mechanism| match mechanism {
            Mechanism::Scram { plus } => self.scram && (bindable || !plus),
            Mechanism::OAuthBearer => self.issuer.is_some(),
            Mechanism::Plain | Mechanism::Login => true,
        })
    }

    /// Begins a login by a mechanism; `None` where that is not offered.
    pub fn sasl(
        &self,
        mechanism: Mechanism,
        bindings: ChannelBindings,
        peer: IpAddr,
    ) -> Option<Sasl> {
        let offered = self.mechanisms(!bindings.is_empty()).any(|offered| offered == mechanism);
        let state = State::First(mechanism);
        offered.then(|| Sasl { login: self.clone(), peer, bindings, state })
    }
}

impl Sasl {
    /// What a client is told that has said nothing with its command.
    pub fn opening(&self) -> &'static [u8] {
        match self.state {
            // What clients of this mechanism wait for.
            State::First(Mechanism::Login) => b"Username:",
            _ => b"",
        }
    }

    /// Takes the next message of the client. Behind [`Step::End`] there is nothing to take.
    pub async fn answer(&mut self, message: &[u8]) -> Step {
        match self.next(message).await {
            Ok((challenge, state)) => {
                self.state = state;
                Step::Challenge(challenge)
            }
            Err(end) => Step::End(end),
        }
    }

    /// The next challenge and what is waited for then, or the end.
    async fn next(&mut self, message: &[u8]) -> Result<(Vec<u8>, State), End> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::First(mechanism) => self.first(mechanism, message).await,
            State::Password(user) => {
                let password = utf8(message)?;
                Err(self.login.check(&user, password, self.peer).await.into())
            }
            State::Proof(exchange) => {
                let proven = self.login.scram_proof(*exchange, message, self.peer).await;
                let (who, proof) = proven.map_err(End::Failed)?;
                Ok((proof.into_bytes(), State::Noted(who)))
            }
            State::Noted(who) if message.is_empty() => Err(End::In(who)),
            // Whatever is said to a refusal, the login has failed (RFC 7628 §3.2.3).
            State::Noted(_) | State::Over => Err(End::Failed(Error::Denied)),
        }
    }

    async fn first(&self, with: Mechanism, message: &[u8]) -> Result<(Vec<u8>, State), End> {
        let Self { login, peer, bindings, .. } = self;
        match with {
            Mechanism::Plain => {
                let plain = Plain::parse(message).ok_or(End::Unreadable)?;
                // Acting as somebody else is not offered, so it is refused like any wrong name.
                if !plain.authzid.is_empty() && plain.authzid != plain.authcid {
                    return Err(End::Failed(login.deny(*peer, &plain.authcid).await));
                }
                Err(login.check(&plain.authcid, &plain.password, *peer).await.into())
            }
            Mechanism::Login => {
                let user = utf8(message)?.to_owned();
                Ok((b"Password:".to_vec(), State::Password(user)))
            }
            Mechanism::Scram { plus } => {
                let first = ClientFirst::parse(message).ok_or(End::Unreadable)?;
                let exchange = login.scram(first, plus, bindings, *peer).await;
                let exchange = exchange.map_err(End::Failed)?;
                Ok((exchange.challenge().as_bytes().to_vec(), State::Proof(Box::new(exchange))))
            }
            Mechanism::OAuthBearer => {
                let said = OAuthBearer::parse(message).ok_or(End::Unreadable)?;
                match login.bearer(&said, *peer).await {
                    Err(Error::Denied) => Ok((login.refusal().into_bytes(), State::Over)),
                    result => Err(result.into()),
                }
            }
        }
    }
}

fn utf8(message: &[u8]) -> Result<&str, End> {
    std::str::from_utf8(message).map_err(|_| End::Unreadable)
}

impl From<Result<Identity, Error>> for End {
    fn from(result: Result<Identity, Error>) -> Self {
        match result {
            Ok(who) => Self::In(who),
            Err(error) => Self::Failed(error),
        }
    }
}
