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
    NullMx,
}

/// How often a server misbehaves before it is well.
const AT_FIRST: usize = 4;

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Accepts,
        Self::AcceptsUnderTls,
        Self::Greylists,
        Self::ComesBackLater,
        Self::RefusesSome,
        Self::DropsBeforeTheDot,
        Self::DropsAfterTheDot,
        Self::NeverAnswers,
        Self::BrokenTls,
        Self::NullMx,
    ];

    /// A server of this kind; none for a domain without one.
    pub async fn start(self, at: SocketAddr) -> Option<RemoteMx> {
        let tls = matches!(self, Self::AcceptsUnderTls | Self::BrokenTls);
        if self == Self::NullMx {
            return None;
        }
        let mx = RemoteMx::start(at, tls).await;
        let later = || Step::ReplyAndClose("421 4.7.0 Too busy, come back later".into());
        match self {
            Self::Accepts | Self::AcceptsUnderTls | Self::NullMx => &mx,
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

    /// The state and the enhanced code (if it matters) in which mail for a recipient ends.
    pub fn expected(self, recipient: &str) -> (&'static str, &'static str) {
        let number = recipient.trim_start_matches('r').split('@').next().unwrap();
        let number: usize = number.parse().unwrap();
        match self {
            Self::NullMx => ("bounced", "5.1.10"),
            Self::NeverAnswers => ("expired", ""),
            Self::RefusesSome if number.is_multiple_of(5) => ("bounced", "5.1.1"),
            _ => ("delivered", ""),
        }
    }
}
