//! What the tests share: doubles for what we do not own.

pub mod acme;
pub mod dns;
pub mod http;
pub mod imap;
pub mod issuer;
pub mod log;
pub mod policy_server;
pub mod postgres;
pub mod remote_mx;
pub mod s3;
pub mod scram;
pub mod server;
pub mod smtp;
pub mod sql;
pub mod verifier;
pub mod wait;

/// A temporary folder that other users may enter: Postgres does not run as root.
pub fn open_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}
