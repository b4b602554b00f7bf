//! `/metrics`, on an address of its own.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::http::{error, headers};
use crate::mail::metrics::Page;
use crate::wire::prometheus;

/// The one route of that address.
pub fn metrics(page: Page) -> Router {
    Router::new()
        .route("/metrics", get(numbers))
        .fallback(error::not_found)
        .layer(map_response(headers::secure))
        .with_state(page)
}

async fn numbers(State(page): State<Page>) -> impl IntoResponse {
    ([(CONTENT_TYPE, prometheus::CONTENT_TYPE)], page.text().await)
}
