//! `/confirm/{token}`: the page by which a subscriber says that a newsletter is wanted. Looking at
//! it changes nothing, since mail scanners look at every link.

use axum::Extension;
use axum::extract::State;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, Uri};
use axum::response::Html;

use crate::http::error::HttpError;
use crate::http::page;
use crate::http::peer::{self, Peer};
use crate::http::router::Edge;
use crate::mail::opt_in::OptIn;

/// `GET /confirm/{token}`: what it is for, and one button.
pub(super) async fn ask(State(edge): State<Edge>, uri: Uri) -> Result<Html<String>, HttpError> {
    let token = token(&uri);
    let who = edge.opt_ins.find(token).await?;
    if who.confirmed {
        return Ok(done(&who));
    }
    let OptIn { sender, list, address, .. } = &who;
    let values =
        [("sender", sender.as_str()), ("list", list), ("address", address), ("token", token)];
    Ok(page::page("Confirm", &page::fill(include_str!("pages/confirm.html"), &values)))
}

/// `POST /confirm/{token}`: confirms, once.
pub(super) async fn confirm(
    State(edge): State<Edge>,
    uri: Uri,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Html<String>, HttpError> {
    let agent = headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let from = peer::client(peer, &headers, &edge.trusted_proxies);
    let who = edge.opt_ins.confirm(token(&uri), from, &agent.unwrap_or_default()).await?;
    Ok(done(&who))
}

fn done(who: &OptIn) -> Html<String> {
    let text = format!("{} from {} comes to {}.", who.list, who.sender, who.address);
    page::message("You are subscribed", &text)
}

fn token(uri: &Uri) -> &str {
    uri.path().strip_prefix("/confirm/").unwrap_or_default()
}
