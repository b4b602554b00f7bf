//! Which path is whose.

use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::get;

use crate::domain::network::Network;
use crate::http::home::Home;
use crate::http::{acme, confirm, discovery, error, headers, health, home, track, unsubscribe};
use crate::mail::discovery::Discovery;
use crate::mail::health::Health;
use crate::mail::opt_in::OptIns;
use crate::mail::tracking::Tracking;
use crate::mail::unsubscribe::Unsubscribe;
use crate::net::acme::Challenges;

/// What the handlers need. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    /// Pixels and links.
    pub tracking: Tracking,
    /// Who wants no more of it.
    pub unsubscribe: Unsubscribe,
    /// Who wants a newsletter.
    pub opt_ins: OptIns,
    /// What is asked about domains.
    pub discovery: Discovery,
    /// Is everything there?
    pub health: Health,
    /// The page for people.
    pub home: Arc<Home>,
    /// What ACME servers ask for.
    pub challenges: Challenges,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[Network]>,
}

/// Every route.
pub fn router(edge: Edge) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route("/style.css", get(home::style))
        .route("/t/o/{*file}", get(track::open))
        .route("/t/c/{*token}", get(track::click))
        .route("/u/{*token}", get(unsubscribe::ask).post(unsubscribe::leave))
        .route("/confirm/{*token}", get(confirm::ask).post(confirm::confirm))
        .route("/.well-known/acme-challenge/{token}", get(acme::challenge))
        .merge(discovery::routes())
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(error::not_found)
        .layer(map_response(headers::secure))
        .with_state(edge)
}
