//! Clients that are not ours do a day's work. `scripts/setup` installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::support::imap::Imap;
use crate::support::postgres;
use crate::support::server::{PASSWORD, server};

/// The authority that signed the server's certificate.
fn authority() -> PathBuf {
    postgres::folder().join("server/certs/ca.pem")
}

/// Runs a program that has to succeed; what it prints.
async fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    // One that asks a question would wait for ever.
    let done = tokio::time::timeout(Duration::from_mins(1), command.output()).await;
    let done = done.unwrap_or_else(|_| panic!("{program} does not end"));
    let done = done.unwrap_or_else(|e| panic!("{program}: {e}: run scripts/setup"));
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(done.status.success(), "{program}: {} {}", text(&done.stdout), text(&done.stderr));
    text(&done.stdout)
}

#[tokio::test]
async fn python_imaplib() {
    let server = server().await;
    let ann = server.tenant().await.mailbox("ann").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/imaplib_daily.py");
    let starttls = server.at.imap_starttls.unwrap().port().to_string();
    let tls = server.at.imap_tls.unwrap().port().to_string();
    let authority = authority();
    let (script, authority) = (script.to_str().unwrap(), authority.to_str().unwrap());
    run("python3", &[script, &starttls, &tls, authority, &ann, PASSWORD]).await;
}

#[tokio::test]
async fn curl_reads_a_message() {
    let server = server().await;
    let ann = server.tenant().await.mailbox("ann").await;
    Imap::of(&ann).await.put("INBOX", "", "curled").await;
    let port = server.at.imap_tls.unwrap().port();
    let url = format!("imaps://localhost:{port}/INBOX;UID=1");
    let login = format!("{ann}:{PASSWORD}");
    let authority = authority();
    let arguments = [
        "--silent",
        "--show-error",
        "--cacert",
        authority.to_str().unwrap(),
        "--user",
        &login,
        &url,
    ];
    let message = run("curl", &arguments).await;
    assert!(message.ends_with("The body of curled.\r\n"), "{message}");
}

/// A local copy of a mailbox that mbsync keeps.
struct Copy {
    folder: tempfile::TempDir,
    config: String,
}

impl Copy {
    async fn of(address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let text = format!(
            "IMAPAccount a\nHost localhost\nPort {port}\nUser {address}\nPass \"{PASSWORD}\"\n\
             SSLType IMAPS\nCertificateFile {authority}\n\n\
             IMAPStore far\nAccount a\n\n\
             MaildirStore near\nPath {path}/mail/\nInbox {path}/mail/INBOX\nSubFolders Verbatim\n\n\
             Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\n\
             SyncState {path}/state/\n",
            port = server().await.at.imap_tls.unwrap().port(),
            authority = authority().display(),
        );
        fs::create_dir_all(folder.path().join("mail")).unwrap();
        fs::create_dir_all(folder.path().join("state")).unwrap();
        let config = folder.path().join("mbsyncrc");
        fs::write(&config, text).unwrap();
        let config = config.to_str().unwrap().to_owned();
        Self { folder, config }
    }

    async fn sync(&self) {
        run("mbsync", &["--config", &self.config, "--all"]).await;
    }

    fn maildir(&self, mailbox: &str) -> PathBuf {
        self.folder.path().join("mail").join(mailbox)
    }

    /// The file in a mailbox whose message holds this text.
    fn find(&self, mailbox: &str, text: &str) -> Option<PathBuf> {
        let files = ["new", "cur"].into_iter().flat_map(|sub| {
            let listed = fs::read_dir(self.maildir(mailbox).join(sub)).into_iter().flatten();
            listed.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        });
        files.into_iter().find(|file| fs::read_to_string(file).unwrap().contains(text))
    }

    /// Gives a message these Maildir flags.
    fn flag(&self, mailbox: &str, text: &str, flags: &str) {
        let file = self.find(mailbox, text).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let base = name.split(":2,").next().unwrap();
        fs::rename(&file, self.maildir(mailbox).join(format!("cur/{base}:2,{flags}"))).unwrap();
    }
}

#[tokio::test]
async fn mbsync_both_ways() {
    let server = server().await;
    let ann = server.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for subject in ["stays", "is read here", "goes here", "goes there"] {
        imap.put("INBOX", "", subject).await;
    }
    imap.put("Archive", "(\\Seen)", "kept").await;
    let copy = Copy::of(&ann).await;
    copy.sync().await;
    assert!(copy.find("INBOX", "The body of stays.").is_some());
    assert!(copy.find("Archive", "The body of kept.").unwrap().to_str().unwrap().ends_with(":2,S"));

    // Both sides change.
    copy.flag("INBOX", "body of is read here", "RS");
    copy.flag("INBOX", "body of goes here", "T");
    let draft = "From: a@client.example\nSubject: local\n\nWritten here.\n";
    fs::write(copy.maildir("Drafts").join("cur/1.local:2,D"), draft).unwrap();
    imap.brings("SELECT INBOX").await;
    imap.brings("STORE 1 +FLAGS (\\Flagged)").await;
    imap.brings("STORE 4 +FLAGS (\\Deleted)").await;
    imap.brings("EXPUNGE").await;
    imap.put("INBOX", "", "new there").await;
    copy.sync().await;

    assert!(copy.find("INBOX", "body of stays").unwrap().to_str().unwrap().ends_with('F'));
    assert!(copy.find("INBOX", "body of new there").is_some());
    assert!(copy.find("INBOX", "body of goes").is_none());
    let mut imap = Imap::select(&ann, "INBOX").await;
    assert_eq!(
        imap.brings("UID FETCH 1:* FLAGS").await,
        [
            "* 1 FETCH (UID 1 FLAGS (\\Flagged))",
            "* 2 FETCH (UID 2 FLAGS (\\Answered \\Seen))",
            "* 3 FETCH (UID 5 FLAGS ())"
        ]
    );
    imap.brings("SELECT Drafts").await;
    let draft = imap.literal("FETCH 1 BODY.PEEK[TEXT]").await;
    assert_eq!(draft, b"Written here.\r\n");
    assert_eq!(imap.brings("SEARCH DRAFT").await, ["* SEARCH 1"]);

    // Nothing is left to do.
    let before = fs::read_dir(copy.maildir("INBOX").join("cur")).unwrap().count();
    copy.sync().await;
    assert_eq!(fs::read_dir(copy.maildir("INBOX").join("cur")).unwrap().count(), before);
    let now = imap.brings("STATUS INBOX (MESSAGES UIDNEXT)").await;
    assert_eq!(now, ["* STATUS INBOX (MESSAGES 3 UIDNEXT 6)"]);
}

/// neomutt with settings of its own. It wants a terminal to read mail in.
struct Mutt {
    folder: tempfile::TempDir,
}

impl Mutt {
    async fn of(address: &str) -> Self {
        let at = server().await.at;
        let text = format!(
            "set folder = \"imaps://{address}@localhost:{imap}/\"\nset spoolfile = +INBOX\n\
             set imap_pass = \"{PASSWORD}\"\nset smtp_pass = \"{PASSWORD}\"\n\
             set smtp_authenticators = \"plain:login\"\n\
             set smtp_url = \"smtps://{address}@localhost:{submission}/\"\nset from = {address}\n\
             set ssl_ca_certificates_file = {authority}\nset mbox_type = Maildir\n\
             set copy = no\nset move = no\nset delete = yes\nset quit = yes\nunset confirmappend\nunset wait_key\n",
            imap = at.imap_tls.unwrap().port(),
            submission = at.submission_tls.unwrap().port(),
            authority = authority().display(),
        );
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rc"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Types `keys` where the INBOX is shown.
    async fn push(&self, keys: &str) {
        let command = format!("TERM=xterm neomutt -n -F {} -e 'push \"{keys}\"'", self.path("rc"));
        run("script", &["--quiet", "--return", "--command", &command, "/dev/null"]).await;
    }
}

#[tokio::test]
async fn neomutt_reads_flags_copies_and_answers() {
    let tenant = server().await.tenant().await;
    let (ann, bob) = (tenant.mailbox("ann").await, tenant.mailbox("bob").await);
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "for mutt").await;
    let mutt = Mutt::of(&ann).await;
    let copy = mutt.path("copy");
    mutt.push(&format!(
        "<set-flag>!<copy-message>{copy}<enter>y<save-message>=Archive<enter><sync-mailbox><quit>"
    ))
    .await;
    let copied = ["new", "cur"].map(|sub| fs::read_dir(format!("{copy}/{sub}")).unwrap());
    let [copied] = &copied.into_iter().flatten().collect::<Vec<_>>()[..] else { panic!("no copy") };
    let copied = fs::read_to_string(copied.as_ref().unwrap().path()).unwrap();
    assert!(copied.contains("The body of for mutt."), "{copied}");
    assert_eq!(imap.brings("STATUS INBOX (MESSAGES)").await, ["* STATUS INBOX (MESSAGES 0)"]);
    imap.brings("SELECT Archive").await;
    assert_eq!(imap.brings("SEARCH FLAGGED").await, ["* SEARCH 1"]);

    // By submission over TLS, with an attachment.
    let (rc, body) = (mutt.path("rc"), mutt.path("body"));
    fs::write(&body, "Written in mutt.\n").unwrap();
    let command = format!("neomutt -n -F {rc} -s 'from mutt' -a {rc} -- {bob} < {body}");
    run("sh", &["-c", &command]).await;
    // NOOP tells of it as soon as it is there, whenever that is.
    let mut waiting = Imap::select(&bob, "INBOX").await;
    let deadline = Instant::now() + Duration::from_mins(1);
    while waiting.brings("UID SEARCH ALL").await == ["* SEARCH"] {
        assert!(Instant::now() < deadline, "the message does not come");
        waiting.brings("NOOP").await;
    }
    let message = String::from_utf8(waiting.literal("FETCH 1 BODY.PEEK[]").await).unwrap();
    assert!(message.contains("\r\n\r\nWritten in mutt.\r\n"), "{message}");
    assert!(message.contains("Content-Disposition: attachment; filename"), "{message}");
}
