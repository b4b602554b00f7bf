//! `/.well-known/mta-sts.txt`: the policy of TLS of a domain (RFC 8461 §3.2).

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::Host;
use crate::http::error::HttpError;
use crate::http::router::Edge;

/// `GET` at `mta-sts.<domain>`.
pub(super) async fn policy(
    State(edge): State<Edge>,
    Host(host): Host,
) -> Result<Response, HttpError> {
    let text = edge.discovery.policy(&host).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
