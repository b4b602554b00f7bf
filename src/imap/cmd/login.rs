//! LOGIN (RFC 3501 §6.2.3), and what it has in common with AUTHENTICATE.

use crate::imap::answer::Answer;
use crate::imap::capability::Stage;
use crate::imap::channel::Channel;
use crate::imap::dispatch::Done;
use crate::imap::server::Server;
use crate::imap::session::Then;
use crate::imap::status::login_failed;
use crate::mail::client::Identity;
use crate::wire::imap::command::Login;
use crate::wire::imap::response::Code;

/// Logs in.
pub(in crate::imap) async fn login(server: &Server, channel: &Channel, login: Login) -> Done {
    if let Some(refusal) = not_in_plain_text(channel) {
        return refusal.into();
    }
    // The grammar lets only UTF-8 through; nothing else is anybody's password.
    let password = str::from_utf8(login.password.reveal()).unwrap_or_default();
    match server.services.login.check(&login.user, password, channel.peer()).await {
        Ok(who) => welcome(server, who),
        Err(error) => login_failed(error).into(),
    }
}

/// Passwords travel under TLS only (RFC 8314 §3.3).
pub(super) fn not_in_plain_text(channel: &Channel) -> Option<Answer> {
    (!channel.is_tls()).then(|| Answer::no(Code::PrivacyRequired, "Say STARTTLS first"))
}

/// Somebody has logged in.
pub(super) fn welcome(server: &Server, who: Identity) -> Done {
    tracing::info!(mailbox = %who.address_id, "logged in");
    let names = server.capabilities(Stage::LoggedIn { compressed: false });
    let answer = Answer::ok("Welcome").with_capabilities(&names);
    Done { answer, then: Then::LogIn(who) }
}
