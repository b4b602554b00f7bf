//! AUTHENTICATE (RFC 3501 §6.2.2), with its first message at once (RFC 4959).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::login::{not_in_plain_text, welcome};
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::dispatch::Done;
use crate::imap::server::Server;
use crate::imap::status;
use crate::mail::login::sasl::{End, Step};
use crate::wire::imap::command::{Authenticate, SaslResponse, Secret, parse_sasl_response};
use crate::wire::imap::frame::Event;
use crate::wire::imap::response::Code;
use crate::wire::sasl::Mechanism;

/// Logs in: carries the messages of a mechanism. Where it ends with one of ours, the client takes
/// note of that with an empty line.
pub(in crate::imap) async fn authenticate(
    server: &Server,
    channel: &mut Channel,
    with: Authenticate,
) -> Result<Done, Gone> {
    if let Some(refusal) = not_in_plain_text(channel) {
        return Ok(refusal.into());
    }
    let mechanism = Mechanism::parse(&with.mechanism);
    let begin =
        |mechanism| server.services.login.sasl(mechanism, channel.bindings(), channel.peer());
    let Some(mut sasl) = mechanism.and_then(begin) else {
        let refusal = Answer::no(Code::Cannot, "CAPABILITY tells which mechanisms work here");
        return Ok(refusal.into());
    };
    let mut message = match with.initial {
        Some(message) => Ok(message),
        None => ask(channel, sasl.opening()).await?,
    };
    loop {
        let said = match message {
            Ok(said) => said,
            Err(refusal) => return Ok(refusal.into()),
        };
        match sasl.answer(said.reveal()).await {
            Step::Challenge(challenge) => message = ask(channel, &challenge).await?,
            Step::End(End::In(who)) => return Ok(welcome(server, who)),
            Step::End(End::Unreadable) => {
                return Ok(Answer::bad("That is no message of the mechanism").into());
            }
            Step::End(End::Failed(error)) => return Ok(status::login_failed(error).into()),
        }
    }
}

/// What the client answers to `challenge`.
async fn ask(channel: &mut Channel, challenge: &[u8]) -> Result<Result<Secret, Answer>, Gone> {
    channel.out.continuation(&STANDARD.encode(challenge));
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
