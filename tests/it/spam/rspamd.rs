//! The real rspamd, from the system's packages.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::{deliver, folder_of, node, one};
use crate::support::http;
use crate::support::open_folder;
use crate::support::server::server;
use crate::support::wait::until;

/// What every filter knows as spam (GTUBE). rspamd refuses what begins with X, and marks what
/// begins with Y.
const GTUBE: &str = "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/// An rspamd of this test. It ends when dropped.
struct Rspamd {
    scan: SocketAddr,
    child: Child,
}

impl Drop for Rspamd {
    fn drop(&mut self) {
        // It ends its workers; killed outright it would leave them behind.
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
    }
}

impl Rspamd {
    async fn start(folder: &Path, dns: SocketAddr) -> Self {
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let scan = free();
        let local = folder.join("local.d");
        for name in ["local.d", "override.d", "db", "run", "log"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        for (file, text) in [
            ("worker-normal.inc", format!("bind_socket = \"{scan}\";\ncount = 1;\n")),
            ("worker-controller.inc", format!("bind_socket = \"{}\";\ncount = 1;\n", free())),
            ("worker-proxy.inc", "enabled = false;\n".to_owned()),
            ("worker-fuzzy.inc", "enabled = false;\n".to_owned()),
            ("logging.inc", "type = \"console\";\nlevel = \"error\";\n".to_owned()),
            (
                "options.inc",
                format!(
                    "enable_test_patterns = true;\ndns {{ nameserver = [\"{dns}\"]; timeout = 1s; }}\n"
                ),
            ),
        ] {
            std::fs::write(local.join(file), text).unwrap();
        }
        let set = |name: &str, path: &Path| format!("--var={name}={}", path.display());
        let child = Command::new("rspamd")
            .args(["-f", "-i"])
            .arg(set("LOCAL_CONFDIR", folder))
            .arg(set("DBDIR", &folder.join("db")))
            .arg(set("RUNDIR", &folder.join("run")))
            .arg(set("LOGDIR", &folder.join("log")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("rspamd: {error}; `make test` installs it"));
        let this = Self { scan, child };
        this.ready().await;
        this
    }

    async fn ready(&self) {
        let up = async || tokio::net::TcpStream::connect(self.scan).await.is_ok();
        until("rspamd starts", Duration::from_mins(4), up).await;
        assert_eq!(http::get(self.scan, "/ping").await.text().trim(), "pong");
    }
}

fn message(subject: &str, text: &str) -> String {
    format!(
        "From: Ann <ann@sender.test>\r\nTo: bob@example.test\r\nSubject: {subject}\r\n\
         Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <{subject}@sender.test>\r\n\r\n{text}\r\n"
    )
}

#[tokio::test]
async fn its_word_is_in_a_header_and_obeyed() {
    let server = server().await;
    let tenant = server.tenant().await;
    tenant.mailbox("bob").await;
    let (folder, home) = (open_folder(), open_folder());
    let rspamd = Rspamd::start(folder.path(), server.dns.addr()).await;
    let node = node(home.path(), |config| {
        config.spam.rspamd_url = format!("http://{}", rspamd.scan);
    })
    .await;
    let to = node.addresses.smtp.unwrap();

    let refused =
        deliver(to, &tenant, "ann@sender.test", &message("x", &format!("X{GTUBE}"))).await;
    assert!(refused.starts_with("550 5.7.1 "), "{refused}");

    let marked = message("gtube", &format!("Y{GTUBE}"));
    assert!(deliver(to, &tenant, "ann@sender.test", &marked).await.starts_with("250 "));
    assert_eq!(folder_of(&tenant, "gtube").await, "junk");
    let header = "SELECT s.header FROM {org}.email_sources s JOIN {org}.emails e USING (id)
        WHERE e.subject = 'gtube'";
    let header = String::from_utf8(one(&tenant, header).await).unwrap();
    let header = header.replace("\r\n ", " ");
    let field = header.lines().find(|line| line.starts_with("X-Spam-Status: ")).unwrap();
    assert!(field.starts_with("X-Spam-Status: Yes, score="), "{field}");
    assert!(field.contains(" by=rspamd ") && field.contains("GTUBE("), "{field}");

    let plain = message("plain", "Shall we meet at noon?");
    assert!(deliver(to, &tenant, "ann@sender.test", &plain).await.starts_with("250 "));
    assert_eq!(folder_of(&tenant, "plain").await, "inbox");
    let kept: bool = one(
        &tenant,
        "SELECT verdict->'spam'->>'source' = 'rspamd' AND spam_score IS NOT NULL
         FROM {org}.emails WHERE subject = 'plain'",
    )
    .await;
    assert!(kept);
    node.stop().await;
}
