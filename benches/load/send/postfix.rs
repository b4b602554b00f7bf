//! Postfix, from the package, in folders of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::dns;
use super::peer::Peer;
use super::sink::Sink;

/// A running Postfix; ended and removed with the value.
struct Postfix(tempfile::TempDir);

/// `None` where there is no Postfix, or nobody who may start it.
pub async fn start(sink: &Sink) -> Option<Peer> {
    let found = Command::new("postconf").arg("mail_version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) || !rustix::process::geteuid().is_root() {
        eprintln!("no postfix that can be started: measuring alone");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let smtp = crate::server::free_port();
    configure(folder.path(), smtp.port(), sink.port);
    let running = Postfix(folder);
    running.command("start");
    crate::server::until_listening("postfix", smtp).await;
    let pid = std::fs::read_to_string(running.0.path().join("queue/pid/master.pid")).unwrap();
    Some(Peer::new("postfix", smtp, None, pid.trim().parse().unwrap(), running))
}

/// As the package configures it, but for folders, ports and where everything goes.
fn configure(folder: &Path, smtp: u16, sink: u16) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["etc", "queue", "data"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let at = |name: &str| folder.join(name).display().to_string();
    assert!(Command::new("chown").args(["postfix", &at("data")]).status().unwrap().success());
    let main = format!(
        "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\nmaillog_file = /var/log/koltrix-bench-postfix.log\n\
         mail_owner = postfix\nsetgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         myhostname = bench.test\nmydestination =\nmynetworks = 127.0.0.0/8\nalias_maps =\nalias_database =\n\
         transport_maps = texthash:{}\n",
        at("queue"),
        at("data"),
        at("etc/transport"),
    );
    std::fs::write(at("etc/main.cf"), main).unwrap();
    let mut transport = String::new();
    for destination in 0..200 {
        let address = dns::address(destination);
        let _ = writeln!(transport, "d{destination}.load.test smtp:[{address}]:{sink}");
    }
    std::fs::write(at("etc/transport"), transport).unwrap();
    let services = std::fs::read_to_string("/etc/postfix/master.cf").unwrap();
    let services: String = services
        .lines()
        .map(|line| match line.split_once(char::is_whitespace) {
            Some(("smtp", rest)) if rest.trim_start().starts_with("inet") => {
                format!("127.0.0.1:{smtp} inet n - n - - smtpd\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    std::fs::write(at("etc/master.cf"), services).unwrap();
}

impl Postfix {
    fn command(&self, what: &str) {
        let mut command = Command::new("postfix");
        command.arg("-c").arg(self.0.path().join("etc")).arg(what);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.command("stop");
    }
}
