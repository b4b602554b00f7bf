//! What mail clients and other servers ask about a domain, each in its own way.

mod apple;
mod autoconfig;
mod autodiscover;
mod policy;

use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::http::error::HttpError;
use crate::http::page::Markup;
use crate::http::router::Edge;

/// Their routes.
pub(super) fn routes() -> Router<Edge> {
    Router::new()
        .route("/.well-known/mta-sts.txt", get(policy::policy))
        .route("/.well-known/autoconfig/mail/config-v1.1.xml", get(autoconfig::settings))
        .route("/mail/config-v1.1.xml", get(autoconfig::settings))
        .route("/autodiscover/autodiscover.xml", post(autodiscover::settings))
        .route("/Autodiscover/Autodiscover.xml", post(autodiscover::settings))
        .route("/autodiscover/autodiscover.json", get(autodiscover::where_to_ask))
        .route("/autodiscover/autodiscover.json/v1.0/{address}", get(autodiscover::where_to_ask))
        .route("/mail/apple.mobileconfig", get(apple::profile))
}

/// The host that was asked, in lower case, without a port.
struct Host(String);

impl<S: Sync> FromRequestParts<S> for Host {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let named = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
        let host = parts.uri.host().or(named).unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Ok(Self(host.trim_end_matches('.').to_ascii_lowercase()))
    }
}

/// Whose settings are wanted; the name differs from client to client.
#[derive(Deserialize)]
struct Whose {
    #[serde(default, alias = "Email", alias = "email")]
    emailaddress: String,
}

type WhoseQuery = Query<Whose>;

/// A document that is not a page.
fn document(media_type: &'static str, content: Markup) -> Response {
    ([(CONTENT_TYPE, media_type)], content.into_text()).into_response()
}
