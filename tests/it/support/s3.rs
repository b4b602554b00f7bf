//! An S3 on loopback, in this process: s3s over a directory.

use std::net::SocketAddr;
use std::path::PathBuf;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use koltrix_mail::store::objects::S3Settings;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::postgres::{self, RUNTIME};

/// The bucket that is there.
pub const BUCKET: &str = "mail";
const ACCESS_KEY: &str = "koltrix";
const SECRET_KEY: &str = "a secret";

/// A store that can go away and come back on the same port.
pub struct S3 {
    at: SocketAddr,
    folder: tempfile::TempDir,
    listening: Option<tokio::task::JoinHandle<()>>,
}

impl S3 {
    /// Starts one with an empty [`BUCKET`].
    pub async fn start() -> Self {
        let folder = tempfile::tempdir_in(postgres::folder()).unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut s3 = Self { at: "127.0.0.1:0".parse().unwrap(), folder, listening: None };
        s3.listen().await;
        s3
    }

    /// Where and how it is reached.
    pub fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: format!("http://{}", self.at),
            region: "us-east-1".to_owned(),
            bucket: BUCKET.to_owned(),
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
        }
    }

    /// The file that holds an object.
    pub fn file(&self, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(key)
    }

    /// Takes connections, after [`S3::vanish`] again on the same port.
    pub async fn listen(&mut self) {
        let listener = TcpListener::bind(self.at).await.unwrap();
        self.at = listener.local_addr().unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(self.folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        self.listening = Some(RUNTIME.spawn(accept(listener, builder.build())));
    }

    /// Cuts every connection and takes no new ones.
    pub async fn vanish(&mut self) {
        let Some(listening) = self.listening.take() else { return };
        listening.abort();
        // Over once it has let go of its sockets.
        assert!(listening.await.unwrap_err().is_cancelled());
    }
}

async fn accept(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let service = service.clone();
        connections.spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // A client that goes away is no fault of the store.
            let _ = server.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
