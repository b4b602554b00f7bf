//! The states of a session (RFC 3501 §3). Each owns what only exists in it.

use super::capability::Stage;
use super::channel::Channel;
use super::selected::Selected;
use crate::mail::client::Identity;

/// Where a session stands.
pub(super) enum State {
    /// Nobody has logged in.
    NotAuthenticated,
    /// Somebody has.
    Authenticated(Identity),
    /// And has a mailbox open.
    Selected(Identity, Box<Selected>),
    /// Everything has been said.
    Logout,
}

/// What a command does to the state, beside answering.
pub(super) enum Then {
    /// Nothing.
    Stay,
    /// Somebody has logged in.
    LogIn(Identity),
    /// A mailbox is open now; another one no longer is.
    Select(Box<Selected>),
    /// No mailbox is open any more.
    Deselect,
    /// TLS begins, and the session anew.
    StartTls,
    /// Compression begins.
    Compress,
    /// The session ends.
    LogOut,
}

impl State {
    /// The state after `then`.
    pub(super) fn after(self, then: Then) -> Self {
        match (self, then) {
            (_, Then::LogOut) => Self::Logout,
            (_, Then::StartTls) => Self::NotAuthenticated,
            (Self::NotAuthenticated, Then::LogIn(who))
            | (Self::Selected(who, _), Then::Deselect) => Self::Authenticated(who),
            (Self::Authenticated(who) | Self::Selected(who, _), Then::Select(selected)) => {
                Self::Selected(who, selected)
            }
            (state, _) => state,
        }
    }

    /// Whether somebody has logged in.
    pub(super) fn is_logged_in(&self) -> bool {
        matches!(self, Self::Authenticated(_) | Self::Selected(..))
    }

    /// What capabilities there are.
    pub(super) fn stage(&self, channel: &Channel) -> Stage {
        match (self.is_logged_in(), channel.is_tls()) {
            (true, _) => Stage::LoggedIn { compressed: channel.is_compressed() },
            (false, true) => Stage::Tls { bindable: !channel.bindings().is_empty() },
            (false, false) => Stage::Plain,
        }
    }
}
