//! The one translation of what mail operations answer into HTTP.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

use crate::http::page;
use crate::mail::Error;

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(super) struct HttpError(Error);

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// A path that is nobody's.
pub(super) async fn not_found() -> HttpError {
    HttpError(Error::NotFound("page"))
}

/// Seconds after which a peer may ask again.
const RETRY_SECONDS: &str = "5";

impl IntoResponse for HttpError {
    /// A page with one sentence. What is internal is logged here and stays here.
    fn into_response(self) -> Response {
        let (status, title, text) = match &self.0 {
            Error::NotFound(_) => (
                StatusCode::NOT_FOUND,
                "Not found",
                "There is nothing here. The link may be incomplete or too old.",
            ),
            Error::Rejected(reason) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "Not possible", reason.text())
            }
            Error::Refused(text) => (StatusCode::UNPROCESSABLE_ENTITY, "Refused", text.as_str()),
            Error::Exists(_) => (StatusCode::CONFLICT, "Not possible", "It exists already."),
            Error::Denied => (StatusCode::FORBIDDEN, "Not allowed", "You may not do this."),
            Error::OverQuota => {
                (StatusCode::INSUFFICIENT_STORAGE, "Full", "There is no room left.")
            }
            Error::Temporary(_) | Error::Storage(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Please try again",
                "The server cannot answer at this moment. Please try again in a few seconds.",
            ),
            Error::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong",
                "The server made a mistake. It has been written down.",
            ),
        };
        match &self.0 {
            Error::Temporary(text) | Error::Storage(text) => {
                tracing::warn!(%text, "http: temporary failure");
            }
            Error::Internal(text) => tracing::error!(%text, "http: internal error"),
            _ => {}
        }
        let mut response = (status, page::message(title, text)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(RETRY_AFTER, axum::http::HeaderValue::from_static(RETRY_SECONDS));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Reason;

    #[test]
    fn every_error_has_its_status() {
        let table = [
            (Error::NotFound("x"), 404),
            (Error::Rejected(Reason::TooBig), 422),
            (Error::Refused("x".into()), 422),
            (Error::Exists("x"), 409),
            (Error::Denied, 403),
            (Error::OverQuota, 507),
            (Error::Temporary("secret".into()), 503),
            (Error::Storage("secret".into()), 503),
            (Error::Internal("secret".into()), 500),
        ];
        for (error, status) in table {
            assert_eq!(HttpError(error).into_response().status().as_u16(), status);
        }
    }
}
