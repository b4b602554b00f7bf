//! AUTHENTICATE (RFC 3501 §6.2.2), with PLAIN (RFC 4616) and its answer at once (RFC 4959).

use super::login::{check, not_in_plain_text};
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::dispatch::Done;
use crate::imap::server::Server;
use crate::imap::status::denied;
use crate::wire::imap::command::{Authenticate, SaslResponse, Secret, parse_sasl_response};
use crate::wire::imap::frame::Event;
use crate::wire::imap::response::Code;
use crate::wire::sasl::Plain;

/// Logs in.
pub(in crate::imap) async fn authenticate(
    server: &Server,
    channel: &mut Channel,
    with: Authenticate,
) -> Result<Done, Gone> {
    if let Some(refusal) = not_in_plain_text(channel) {
        return Ok(refusal.into());
    }
    if with.mechanism != "PLAIN" {
        return Ok(Answer::no(Code::Cannot, "Only PLAIN works here").into());
    }
    let message = match with.initial {
        Some(message) => message,
        None => match ask(channel).await? {
            Ok(message) => message,
            Err(refusal) => return Ok(refusal.into()),
        },
    };
    let Some(plain) = Plain::parse(message.reveal()) else {
        return Ok(Answer::bad("That is no PLAIN message").into());
    };
    // Acting as somebody else is not offered, so it is refused like any wrong name.
    if !plain.authzid.is_empty() && plain.authzid != plain.authcid {
        return Ok(denied().into());
    }
    Ok(check(server, channel, &plain.authcid, &plain.password).await)
}

/// Asks for the message with an empty challenge.
async fn ask(channel: &mut Channel) -> Result<Result<Secret, Answer>, Gone> {
    channel.out.continuation("");
    channel.expect_line();
    let Event::Complete(line) = channel.event().await? else {
        return Ok(Err(Answer::bad("That is too long")));
    };
    Ok(match parse_sasl_response(&line) {
        Ok(SaslResponse::Data(message)) => Ok(message),
        // RFC 3501 §6.2.2
        Ok(SaslResponse::Cancel) => Err(Answer::bad("As you wish")),
        Err(_) => Err(Answer::bad("That is no base64")),
    })
}
