//! First start, second start, and ends of both kinds, with nothing configured but ports.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use super::Program;

/// Ports that are free, and a private PostgreSQL.
pub fn program(smtp: u16) -> Program {
    Program::with(&format!(
        "[smtp]\nlisten = \"127.0.0.1:{smtp}\"\n\
         [submission]\nlisten_starttls = \"127.0.0.1:0\"\nlisten_tls = \"127.0.0.1:0\"\n\
         [imap]\nlisten_starttls = \"127.0.0.1:0\"\nlisten_tls = \"127.0.0.1:0\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\nlisten_tls = \"127.0.0.1:0\"\n\
         [metrics]\nlisten = \"127.0.0.1:0\"\n"
    ))
}

/// A running server and its screen.
pub struct Running {
    child: Child,
    screen: String,
}

impl Running {
    pub async fn start(program: &Program) -> Self {
        Self::start_by(program, "serve").await
    }

    /// Started by this command line.
    pub async fn start_by(program: &Program, command: &str) -> Self {
        let mut child = program.command(command).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut screen = String::new();
        let read = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                screen.push_str(&line);
                screen.push('\n');
                if line.starts_with("Ctrl-C") {
                    return true;
                }
            }
            false
        };
        let complete = tokio::time::timeout(Duration::from_mins(1), read).await.unwrap();
        if !complete {
            let output = child.wait_with_output().await.unwrap();
            panic!("{screen}{}", String::from_utf8_lossy(&output.stderr));
        }
        Self { child, screen }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// The word behind a name on the screen.
    pub fn shown(&self, name: &str) -> String {
        let line = self.screen.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().trim_end_matches(',').to_owned()
    }

    /// Sends a signal; the exit code, where there is one.
    pub async fn end(mut self, signal: Signal) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let ended = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await;
        ended.unwrap().unwrap().code()
    }
}

#[tokio::test]
async fn a_server_comes_up_on_the_same_data_however_it_ended() {
    let program = program(0);
    let first = Running::start(&program).await;
    assert!(first.shown("SMTP").starts_with("127.0.0.1:"), "{}", first.screen);
    let password = first.shown("Password");
    // Commands use the database of the server that runs.
    let mailboxes = program.json("mailbox list").await;
    let addresses: Vec<_> = mailboxes.as_array().unwrap().iter().map(|m| &m["address"]).collect();
    assert_eq!(addresses, ["alice@demo.test", "bob@demo.test"]);
    assert!(program.error("serve").await.contains("another koltrix-mail runs"));
    assert_eq!(first.end(Signal::TERM).await, Some(0));

    // And without one they have it for themselves.
    program.ok("tenant add acme").await;
    let second = Running::start(&program).await;
    assert_eq!(second.shown("Password"), password);
    assert_eq!(second.end(Signal::KILL).await, None);

    let third = Running::start(&program).await;
    assert_eq!(third.shown("Password"), password);
    assert_eq!(program.json("tenant list").await.as_array().unwrap().len(), 2);
    // A password that was changed is not shown as if it still opened.
    let changed = program.run_with("mailbox passwd bob@demo.test", "another one").await;
    assert_eq!(changed.code, 0, "{}", changed.err);
    assert_eq!(third.end(Signal::INT).await, Some(0));
    let fourth = Running::start(&program).await;
    assert!(!fourth.screen.contains(&password), "{}", fourth.screen);
    assert_eq!(fourth.end(Signal::INT).await, Some(0));
}

#[tokio::test]
async fn what_keeps_a_server_from_starting_is_said_in_a_sentence() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let program = program(taken.local_addr().unwrap().port());
    let done = program.run("serve").await;
    let said = done.err.lines().last().unwrap();
    assert!(done.code == 1 && said.contains("in use") && said.contains("smtp.listen"), "{said}");
    // The PostgreSQL that was started for it is gone, so the next start can have it.
    drop(taken);
    assert_eq!(Running::start(&program).await.end(Signal::TERM).await, Some(0));

    let nowhere = Program::with("[server]\ndata_dir = \"koltrix.toml/data\"");
    assert!(nowhere.error("serve").await.contains("server.data_dir"));
    let elsewhere = Program::with("[database.embedded]\nbin_dir = \"/nowhere\"");
    let mut command = elsewhere.command("serve");
    let output = command.env_remove("KOLTRIX_PG_BIN").output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("database.embedded.bin_dir"), "{said}");
    let unread = Program::with("[server]\nlog_filter = \"a=b=c\"");
    assert!(unread.error("serve").await.contains("server.log_filter"));
}
