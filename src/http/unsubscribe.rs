//! `/u/{token}`: the page that unsubscribes, and the one click that does
//! without it (RFC 8058 §3.2). Looking at the page changes nothing, since mail
//! scanners look at every link.

use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Html;

use crate::http::error::HttpError;
use crate::http::page;
use crate::http::peer::{self, Peer};
use crate::http::router::Edge;
use crate::mail::Error;
use crate::mail::unsubscribe::Method;
use crate::wire::list_unsubscribe;

/// Octets of the form at most.
const MAX_BODY: usize = 4096;
/// The form has to be there within this time.
const BODY_WITHIN: Duration = Duration::from_secs(15);

/// `GET /u/{token}`: whom it is for, and one button.
pub(super) async fn ask(State(edge): State<Edge>, uri: Uri) -> Result<Html<String>, HttpError> {
    let token = token(&uri);
    let who = edge.unsubscribe.find(token).await?;
    let values = [("sender", who.sender.as_str()), ("address", &who.address), ("token", token)];
    let content = page::fill(include_str!("pages/unsubscribe.html"), &values);
    Ok(page::page("Unsubscribe", &content))
}

/// `POST /u/{token}`: unsubscribes at once; no redirect, no question, no cookie.
pub(super) async fn leave(
    State(edge): State<Edge>,
    uri: Uri,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Html<String>, HttpError> {
    let refused = |why: &str| HttpError::from(Error::Refused(why.to_owned()));
    let body = tokio::time::timeout(BODY_WITHIN, to_bytes(body, MAX_BODY))
        .await
        .map_err(|_| refused("The form did not arrive."))?
        .map_err(|_| refused("The form is too long."))?;
    if !list_unsubscribe::is_asked(&body) {
        return Err(refused("The form does not ask to unsubscribe."));
    }
    let by_page = body.split(|octet| *octet == b'&').any(|pair| pair == b"from=page");
    let method = if by_page { Method::Page } else { Method::OneClick };
    let from = peer::client(peer, &headers, &edge.trusted_proxies);
    let who = edge.unsubscribe.leave(token(&uri), method, from).await?;
    let text = format!("{} gets no more of this mail from {}.", who.address, who.sender);
    Ok(page::message("You are unsubscribed", &text))
}

fn token(uri: &Uri) -> &str {
    uri.path().strip_prefix("/u/").unwrap_or_default()
}
