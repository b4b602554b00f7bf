//! Somebody who issues tokens: keys at an address under TLS, which the authority of the tests vouches
//! for, and signatures of any kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::remote_mx;

/// An issuer with an RSA key and one on P-256.
pub struct Issuer {
    /// What its tokens say it is.
    pub url: String,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    keys: Value,
    asked: AtomicUsize,
}

impl Issuer {
    /// Starts one on loopback, with its keys named `rsa` and `ec`.
    pub async fn start() -> Self {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let keys = json!({ "keys": [rsa_key("rsa", &rsa), ec_key("ec", &ec)] });
        let shared = Arc::new(Shared { keys, asked: AtomicUsize::new(0) });
        let router = Router::new()
            .route("/.well-known/jwks.json", axum::routing::get(keys_of))
            .with_state(Arc::clone(&shared));
        let serving = tokio::spawn(accept(listener, router));
        Self { url, rsa, ec, shared, serving }
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// Nobody answers there any more.
    pub fn leave(&self) {
        self.serving.abort();
    }

    /// Claims of a token that is good for a minute.
    pub fn claims(&self, subject: &str) -> Value {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        json!({ "iss": self.url, "sub": subject, "iat": now, "nbf": now, "exp": now + 60,
            "aud": "mail", "azp": "https://app.test" })
    }

    /// Signed with the RSA key.
    pub fn rs256(&self, claims: &Value) -> String {
        self.rs256_as("rsa", claims)
    }

    /// The same, naming another key.
    pub fn rs256_as(&self, key: &str, claims: &Value) -> String {
        signed(&json!({ "alg": "RS256", "kid": key, "typ": "JWT" }), claims, |message| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            let random = SystemRandom::new();
            self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
            signature
        })
    }

    /// Signed with the key on P-256.
    pub fn es256(&self, claims: &Value) -> String {
        signed(&json!({ "alg": "ES256", "kid": "ec" }), claims, |message| {
            self.ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        })
    }

    /// What forgers make of the public key, with the claims of their choice.
    pub fn forged(&self, claims: &Value) -> Vec<(&'static str, String)> {
        let public = self.rsa.public_key().as_ref().to_vec();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &public);
        let none = |alg: &str| signed(&json!({ "alg": alg, "kid": "rsa" }), claims, |_| vec![]);
        let good = self.rs256(&self.claims("somebody else"));
        let (_, signature) = good.rsplit_once('.').unwrap();
        let own = self.rs256(claims);
        let (unsigned, _) = own.rsplit_once('.').unwrap();
        vec![
            ("none", none("none")),
            ("nothing signed", none("RS256")),
            (
                "signed with the public key",
                signed(&json!({ "alg": "HS256", "kid": "rsa" }), claims, |message| {
                    hmac::sign(&key, message).as_ref().to_vec()
                }),
            ),
            ("the signature of another", format!("{unsigned}.{signature}")),
            ("another key", self.rs256_as("ec", claims)),
            ("an unknown key", self.rs256_as("unknown", claims)),
        ]
    }
}

fn encode(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

fn signed(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn rsa_key(name: &str, key: &RsaKeyPair) -> Value {
    let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
    let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": encode(n), "e": encode(e) })
}

fn ec_key(name: &str, key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "kid": name, "x": encode(&point[1..33]), "y": encode(&point[33..]) })
}

async fn keys_of(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    shared.asked.fetch_add(1, Ordering::Relaxed);
    let keys = shared.keys.to_string();
    ([(CACHE_CONTROL, "public, max-age=600")], keys)
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
