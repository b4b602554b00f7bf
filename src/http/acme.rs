//! What an ACME server asks for to see that a name is ours (RFC 8555 §8.3).

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::http::error;
use crate::http::router::Edge;

/// The answer to a token that was just told to us.
pub(super) async fn challenge(State(edge): State<Edge>, Path(token): Path<String>) -> Response {
    match edge.challenges.answer(&token) {
        Some(answer) => ([(CONTENT_TYPE, "application/octet-stream")], answer).into_response(),
        None => error::not_found().await.into_response(),
    }
}
