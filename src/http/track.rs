//! The tracking pixel and the tracked links. A token is read from the path as
//! it stands: nothing in one needs decoding.

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::domain::hit::Fetch;
use crate::http::error::HttpError;
use crate::http::peer::{self, Peer};
use crate::http::router::Edge;
use crate::mail::Error;
use crate::mail::tracking::Visit;
use crate::wire::uri;

/// A transparent GIF of one pixel: 43 octets, the smallest that every client shows.
const PIXEL: &[u8; 43] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\
    \x21\xf9\x04\x01\x00\x00\x00\x00\
    \x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

/// Mail is shown on pages of other origins, and the pixel with it.
const CROSS_ORIGIN: (HeaderName, &str) =
    (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");

/// `GET /t/o/{token}.gif`: the pixel, whatever the token is and whatever happens.
pub(super) async fn open(
    State(edge): State<Edge>,
    uri: Uri,
    Extension(peer): Extension<Peer>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let token = uri.path().strip_prefix("/t/o/").and_then(|file| file.strip_suffix(".gif"));
    if let Some(token) = token {
        edge.tracking.open(token, visit(&edge, peer, &method, &headers)).await;
    }
    ([(CONTENT_TYPE, "image/gif"), CROSS_ORIGIN], PIXEL.as_slice()).into_response()
}

/// `GET /t/c/{token}`: to the stored target, and to nothing else.
pub(super) async fn click(
    State(edge): State<Edge>,
    uri: Uri,
    Extension(peer): Extension<Peer>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let token = uri.path().strip_prefix("/t/c/").unwrap_or_default();
    let target = edge.tracking.click(token, visit(&edge, peer, &method, &headers)).await?;
    let location = HeaderValue::try_from(uri::to_ascii(&target))
        .map_err(|_| Error::Internal("a stored target is no URL".to_owned()))?;
    Ok((StatusCode::FOUND, [(LOCATION, location)]).into_response())
}

fn visit(edge: &Edge, peer: Peer, method: &Method, headers: &HeaderMap) -> Visit {
    let text = |name: &str| {
        headers.get(name).map_or_else(String::new, |v| String::from_utf8_lossy(v.as_bytes()).into())
    };
    let announced = ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .iter()
        .map(|name| text(name).to_ascii_lowercase())
        .any(|value| value.contains("prefetch") || value.contains("preview"));
    let fetch = match (method, announced) {
        (&Method::HEAD, _) => Fetch::Head,
        (_, true) => Fetch::Prefetch,
        (_, false) => Fetch::Get,
    };
    Visit {
        ip: peer::client(peer, headers, &edge.trusted_proxies),
        user_agent: text(USER_AGENT.as_str()),
        fetch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pixel_is_a_whole_gif_of_one_pixel() {
        assert_eq!(PIXEL.len(), 43);
        assert_eq!((&PIXEL[..6], PIXEL[42]), (b"GIF89a".as_slice(), 0x3b));
        assert_eq!(&PIXEL[6..10], [1, 0, 1, 0]);
    }
}
