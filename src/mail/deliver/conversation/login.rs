//! Logging in to a smarthost (RFC 4954).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Conversation;
use crate::domain::outcome::Reply;
use crate::mail::outcome;
use crate::wire::smtp::reply::Said;

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Says who we are: PLAIN (RFC 4616), else LOGIN.
    ///
    /// # Errors
    /// What was said instead of 235, with a code that tells whose trouble it is.
    pub async fn log_in(&mut self, user: &str, password: &str) -> Result<(), Reply> {
        let auth = self.offer.auth;
        let said = if auth.plain {
            let response = STANDARD.encode(format!("\0{user}\0{password}"));
            self.command(format!("AUTH PLAIN {response}\r\n")).await?
        } else if auth.login {
            self.say_login(user, password).await?
        } else {
            return Err(outcome::no_login_offered());
        };
        if said.code == 235 { Ok(()) } else { Err(outcome::login_refused(&said.into_reply())) }
    }

    /// The mechanism of no RFC: each of the two is asked for.
    async fn say_login(&mut self, user: &str, password: &str) -> Result<Said, Reply> {
        let mut said = self.command("AUTH LOGIN\r\n".to_owned()).await?;
        for answer in [user, password] {
            if said.code != 334 {
                break;
            }
            said = self.command(format!("{}\r\n", STANDARD.encode(answer))).await?;
        }
        Ok(said)
    }
}
