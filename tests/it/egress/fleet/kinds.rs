//! What kinds of servers there are.

use std::net::SocketAddr;

use crate::support::remote_mx::{RemoteMx, Step};

/// What a server does, and so what becomes of mail for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Accepts,
    AcceptsUnderTls,
    /// Nobody is known at first.
    Greylists,
    /// Has no time for us at first.
    ComesBackLater,
    /// Every fifth recipient does not exist.
    RefusesSome,
    /// Hangs up before the message, at first.
    DropsBeforeTheDot,
    /// Takes a message and hangs up, at first.
    DropsAfterTheDot,
    NeverAnswers,
    BrokenTls,
    /// Has a policy of TLS (MTA-STS, enforced) and does as it says.
    KeepsItsPolicy,
    /// Has such a policy, and a certificate that nobody vouches for.
    BreaksItsPolicy,
    NullMx,
}

/// How often a server misbehaves before it is well.
const AT_FIRST: usize = 4;

impl Kind {
    pub const ALL: [Self; 12] = [
        Self::Accepts,
        Self::AcceptsUnderTls,
        Self::Greylists,
        Self::ComesBackLater,
        Self::RefusesSome,
        Self::DropsBeforeTheDot,
        Self::DropsAfterTheDot,
        Self::NeverAnswers,
        Self::BrokenTls,
        Self::KeepsItsPolicy,
        Self::BreaksItsPolicy,
        Self::NullMx,
    ];

    /// A server of this kind, called `host`; none for a domain without one.
    pub async fn start(self, at: SocketAddr, host: &str) -> Option<RemoteMx> {
        let mx = match self {
            Self::NullMx => return None,
            Self::KeepsItsPolicy => RemoteMx::start_proven(at, host).await,
            Self::AcceptsUnderTls | Self::BrokenTls | Self::BreaksItsPolicy => {
                RemoteMx::start(at, true).await
            }
            _ => RemoteMx::start(at, false).await,
        };
        let later = || Step::ReplyAndClose("421 4.7.0 Too busy, come back later".into());
        match self {
            Self::Accepts
            | Self::AcceptsUnderTls
            | Self::KeepsItsPolicy
            | Self::BreaksItsPolicy
            | Self::NullMx => &mx,
            Self::Greylists => {
                mx.times(super::MESSAGES, "RCPT", Step::Reply("450 4.2.0 Greylisted".into()))
            }
            Self::ComesBackLater => mx.times(AT_FIRST, "MAIL", later()),
            Self::RefusesSome => {
                for n in (0..super::MESSAGES).step_by(5) {
                    let nobody = Step::Reply("550 5.1.1 Nobody of that name".into());
                    mx.on(&format!("RCPT TO:<r{n}@"), nobody);
                }
                &mx
            }
            Self::DropsBeforeTheDot => mx.times(AT_FIRST, "DATA", Step::Drop),
            Self::DropsAfterTheDot => mx.times(AT_FIRST, ".", Step::Drop),
            Self::NeverAnswers => mx.on("CONNECT", Step::Silence),
            Self::BrokenTls => mx.on("TLS", Step::Drop),
        };
        Some(mx)
    }

    /// Whether its domain has a policy of TLS that is enforced.
    pub fn has_policy(self) -> bool {
        matches!(self, Self::KeepsItsPolicy | Self::BreaksItsPolicy)
    }

    /// Whether its mail waits for what never comes.
    pub fn is_hopeless(self) -> bool {
        matches!(self, Self::NeverAnswers | Self::BreaksItsPolicy)
    }

    /// The state and the enhanced code (if it matters) in which mail for a recipient ends.
    pub fn expected(self, recipient: &str) -> (&'static str, &'static str) {
        let number = recipient.trim_start_matches('r').split('@').next().unwrap();
        let number: usize = number.parse().unwrap();
        match self {
            Self::NullMx => ("bounced", "5.1.10"),
            _ if self.is_hopeless() => ("expired", ""),
            Self::RefusesSome if number.is_multiple_of(5) => ("bounced", "5.1.1"),
            _ => ("delivered", ""),
        }
    }
}
