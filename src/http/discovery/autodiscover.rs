//! Settings as Outlook asks for them: "plain old XML", and the JSON that says where that is.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::{WhoseQuery, document};
use crate::http::error::HttpError;
use crate::http::page;
use crate::http::router::Edge;
use crate::mail::Error;

/// Octets of the question at most.
const MAX_BODY: usize = 16 * 1024;
/// It has to be there within this time.
const BODY_WITHIN: Duration = Duration::from_secs(15);

/// What Outlook sends.
#[derive(Deserialize)]
struct Question {
    #[serde(rename = "Request")]
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "EMailAddress")]
    address: String,
}

/// `POST /autodiscover/autodiscover.xml`
pub(super) async fn settings(State(edge): State<Edge>, body: Body) -> Result<Response, HttpError> {
    let refused = || HttpError::from(Error::Refused("The question is not understood.".to_owned()));
    let body = tokio::time::timeout(BODY_WITHIN, to_bytes(body, MAX_BODY)).await;
    let body = body.map_err(|_| refused())?.map_err(|_| refused())?;
    let text = std::str::from_utf8(&body).map_err(|_| refused())?;
    let question: Question = quick_xml::de::from_str(text).map_err(|_| refused())?;
    let address = question.request.address.trim();
    let setup = edge.discovery.setup_for(address).await?;
    let ports = setup.ports.map(|port| port.to_string());
    let values = [
        ("address", address),
        ("hostname", &setup.hostname),
        ("submission_tls", &ports[0]),
        ("imap_tls", &ports[2]),
    ];
    let content = page::fill(include_str!("../pages/autodiscover.xml"), &values);
    Ok(document("text/xml; charset=utf-8", content))
}

/// `GET /autodiscover/autodiscover.json`: where the XML is.
pub(super) async fn where_to_ask(
    State(edge): State<Edge>,
    path: Option<Path<String>>,
    Query(whose): WhoseQuery,
) -> Result<Response, HttpError> {
    let address = path.map_or(whose.emailaddress, |Path(address)| address);
    let setup = edge.discovery.setup_for(&address).await?;
    let url = format!("https://{}/autodiscover/autodiscover.xml", setup.web_host);
    let answer = json!({ "Protocol": "AutodiscoverV1", "Url": url }).to_string();
    Ok(([(CONTENT_TYPE, "application/json")], answer).into_response())
}
