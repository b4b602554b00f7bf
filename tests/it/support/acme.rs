//! An ACME server (RFC 8555), as far as one order needs it. It proves names as a real one does, by
//! asking over HTTP, and signs with the authority that tests trust; signatures of requests it
//! believes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::remote_mx;

/// The server.
#[derive(Clone)]
pub struct AcmeServer(Arc<Shared>);

struct Shared {
    at: SocketAddr,
    /// Where names are to be proven: instead of port 80 of the name.
    edge: Mutex<Option<SocketAddr>>,
    orders: Mutex<Vec<Order>>,
    thumbprint: Mutex<String>,
}

#[derive(Clone)]
struct Order {
    name: String,
    proven: bool,
    chain: Option<String>,
}

impl AcmeServer {
    /// Starts one on loopback, under TLS.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let server = Self(Arc::new(Shared {
            at,
            edge: Mutex::default(),
            orders: Mutex::default(),
            thumbprint: Mutex::default(),
        }));
        let router = Router::new().fallback(handle).with_state(server.clone());
        tokio::spawn(accept(listener, router));
        server
    }

    /// Its directory.
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/directory", self.0.at.port())
    }

    /// From now on names are proven there; until then nothing can be.
    pub fn prove_at(&self, edge: SocketAddr) {
        *self.0.edge.lock().unwrap() = Some(edge);
    }

    /// The names for which a certificate was issued.
    pub fn issued(&self) -> Vec<String> {
        let orders = self.0.orders.lock().unwrap();
        orders.iter().filter(|o| o.chain.is_some()).map(|o| o.name.clone()).collect()
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.0.at.port())
    }

    fn order(&self, n: usize) -> Value {
        let order = self.0.orders.lock().unwrap()[n].clone();
        let status = match (&order.chain, order.proven) {
            (Some(_), _) => "valid",
            (None, true) => "ready",
            (None, false) => "pending",
        };
        let certificate = order.chain.map(|_| self.url(&format!("/certificate/{n}")));
        json!({
            "status": status,
            "authorizations": [self.url(&format!("/authorization/{n}"))],
            "finalize": self.url(&format!("/finalize/{n}")),
            "certificate": certificate,
        })
    }

    fn authorization(&self, n: usize) -> Value {
        let order = self.0.orders.lock().unwrap()[n].clone();
        let status = if order.proven { "valid" } else { "pending" };
        json!({
            "identifier": { "type": "dns", "value": order.name },
            "status": status,
            "challenges": [self.challenge(n)],
        })
    }

    fn challenge(&self, n: usize) -> Value {
        let proven = self.0.orders.lock().unwrap()[n].proven;
        let status = if proven { "valid" } else { "pending" };
        let url = self.url(&format!("/challenge/{n}"));
        json!({ "type": "http-01", "url": url, "token": format!("token-{n}"), "status": status })
    }

    /// RFC 8555 §8.3: the token and the thumbprint of the account's key, at a path of the name.
    async fn prove(&self, n: usize) {
        let Some(edge) = *self.0.edge.lock().unwrap() else { return };
        let path = format!("/.well-known/acme-challenge/token-{n}");
        let answer = super::http::get(edge, &path).await;
        let expected = format!("token-{n}.{}", self.0.thumbprint.lock().unwrap());
        self.0.orders.lock().unwrap()[n].proven = answer.status == 200 && answer.text() == expected;
    }
}

async fn accept(listener: TcpListener, router: Router) {
    let acceptor = remote_mx::proven_acceptor("localhost");
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(socket).await else { return };
            let service = TowerToHyperService::new(router);
            let server = Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A part of a JWS, decoded.
fn part(body: &[u8], name: &str) -> Value {
    let jws: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = URL_SAFE_NO_PAD.decode(jws[name].as_str().unwrap_or_default()).unwrap();
    serde_json::from_slice(&text).unwrap_or_default()
}

async fn handle(State(server): State<AcmeServer>, uri: Uri, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let (what, n) = path.trim_start_matches('/').split_once('/').unwrap_or((&path[1..], "0"));
    let n: usize = n.parse().unwrap();
    let answer = match what {
        "directory" => server.directory_json().into_response(),
        "nonce" => StatusCode::OK.into_response(),
        "account" => {
            *server.0.thumbprint.lock().unwrap() = thumbprint(&part(&body, "protected")["jwk"]);
            created(&server.url("/account/1"), &json!({ "status": "valid" }))
        }
        "new-order" => {
            let name =
                part(&body, "payload")["identifiers"][0]["value"].as_str().unwrap().to_owned();
            let n = {
                let mut orders = server.0.orders.lock().unwrap();
                orders.push(Order { name, proven: false, chain: None });
                orders.len() - 1
            };
            created(&server.url(&format!("/order/{n}")), &server.order(n))
        }
        "order" => server.order(n).to_string().into_response(),
        "authorization" => server.authorization(n).to_string().into_response(),
        "challenge" => {
            server.prove(n).await;
            server.challenge(n).to_string().into_response()
        }
        "finalize" => {
            let csr = part(&body, "payload")["csr"].as_str().unwrap().to_owned();
            let csr = URL_SAFE_NO_PAD.decode(csr).unwrap();
            let name = server.0.orders.lock().unwrap()[n].name.clone();
            let chain = remote_mx::certify(&name, &csr);
            server.0.orders.lock().unwrap()[n].chain = Some(chain);
            server.order(n).to_string().into_response()
        }
        "certificate" => server.0.orders.lock().unwrap()[n].chain.clone().unwrap().into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    };
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    ([("Replay-Nonce", nonce)], answer).into_response()
}

impl AcmeServer {
    fn directory_json(&self) -> String {
        json!({
            "newNonce": self.url("/nonce"),
            "newAccount": self.url("/account"),
            "newOrder": self.url("/new-order"),
        })
        .to_string()
    }
}

fn created(location: &str, body: &Value) -> Response {
    (StatusCode::CREATED, [("Location", location.to_owned())], body.to_string()).into_response()
}

/// RFC 7638 §3: the members of an EC key in order, without white space.
fn thumbprint(jwk: &Value) -> String {
    let text = format!(
        r#"{{"crv":{},"kty":{},"x":{},"y":{}}}"#,
        jwk["crv"], jwk["kty"], jwk["x"], jwk["y"]
    );
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
