//! Dovecot on Maildir, from the package.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use super::client::PASSWORD;
use super::peer::Peer;

/// A running Dovecot; ended and removed with the value.
struct Dovecot {
    child: Child,
    _folder: tempfile::TempDir,
}

/// `None` where there is no Dovecot, or nobody who may start it.
pub async fn start() -> Option<Peer> {
    let found = Command::new("dovecot").arg("--version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) || !is_root() {
        eprintln!("no dovecot that can be started: measuring alone");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("cert.pem"), key.cert.pem()).unwrap();
    std::fs::write(at("key.pem"), key.signing_key.serialize_pem()).unwrap();
    let imap = crate::server::free_port();
    let base = folder.path().display();
    let configuration = format!(
        "base_dir = {base}/run\nlog_path = {base}/log\nprotocols = imap\nlisten = 127.0.0.1\nssl = required\n\
         ssl_cert = <{base}/cert.pem\nssl_key = <{base}/key.pem\nmail_location = maildir:{base}/mail/%n\n\
         first_valid_uid = 1\nmail_max_userip_connections = 10000\n\
         passdb {{\n driver = static\n args = password={}\n}}\nuserdb {{\n driver = static\n args = uid=mail gid=mail home={base}/mail/%n\n}}\n\
         service imap-login {{\n service_count = 0\n client_limit = 2000\n inet_listener imap {{\n port = 0\n }}\n inet_listener imaps {{\n port = {}\n }}\n}}\n\
         service imap {{\n process_limit = 2000\n}}\nservice anvil {{\n client_limit = 10000\n}}\nservice auth {{\n client_limit = 10000\n}}\n",
        PASSWORD,
        imap.port()
    );
    std::fs::create_dir(at("mail")).unwrap();
    Command::new("chown").arg("mail:mail").arg(at("mail")).status().unwrap();
    std::fs::write(at("dovecot.conf"), configuration).unwrap();
    let child =
        Command::new("dovecot").arg("-F").arg("-c").arg(at("dovecot.conf")).spawn().unwrap();
    crate::server::until_listening("dovecot", imap).await;
    let (pid, root) = (child.id(), at("cert.pem"));
    let running = Dovecot { child, _folder: folder };
    Some(Peer::filled("dovecot", (imap, None), root, pid, running).await)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
