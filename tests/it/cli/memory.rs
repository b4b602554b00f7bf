//! What a large message costs the process in memory, from the first octet to the 250.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use koltrix_mail::wire::smtp::stuff;
use tokio::task::JoinSet;

use super::serve::{Running, program};
use crate::support::smtp::Smtp;

/// Memory of a process that no file stands behind, in KiB (proc_pid_status(5)).
fn anonymous(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The most that a process has until it is told to stop.
fn watch(pid: u32, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut most = 0;
        while !stop.load(Ordering::Relaxed) {
            most = most.max(anonymous(pid));
        }
        most
    })
}

/// A message of `size` octets whose one part is `head` and then lines.
fn message(head: &str, size: usize) -> Vec<u8> {
    let line = "QSBsaW5lIG9mIGEgZmlsZSB0aGF0IGlzIGxhcmdlIGVub3VnaCB0byBiZSBhbiBvYmplY3QuLi4u\r\n";
    let mut message = format!(
        "From: a@client.example\r\nSubject: large\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{head}\r\n\r\n"
    )
    .into_bytes();
    message.extend_from_slice(line.repeat((size - message.len()) / line.len() - 1).as_bytes());
    message.extend_from_slice(b"--b--\r\n");
    message
}

/// Sends messages over all sessions at once and waits for the answers.
async fn deliver_at_once(sessions: &mut Vec<Smtp>, encoded: Vec<Vec<u8>>) {
    let encoded: Vec<_> = encoded.into_iter().map(Arc::new).collect();
    let mut deliveries = JoinSet::new();
    for (mut session, octets) in sessions.drain(..).zip(encoded.into_iter().cycle()) {
        deliveries.spawn(async move {
            session.ask("MAIL FROM:<a@client.example>", "250").await;
            session.ask("RCPT TO:<alice@demo.test>", "250").await;
            session.ask("DATA", "354").await;
            session.send(&*octets).await;
            session.expect("250 ").await;
            session
        });
    }
    sessions.extend(deliveries.join_all().await);
}

#[tokio::test]
async fn fifty_megabytes_take_a_session_less_than_one_of_memory() {
    let kinds = [
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64",
        "Content-Type: text/plain",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable",
    ];
    let of_size = |size| kinds.map(|kind| stuff::encode(&message(kind, size))).to_vec();
    let program = program(0);
    // No worker: it takes the text for the search index once for all sessions, later, and less of it.
    let server = Running::start_by(&program, "serve --roles smtp,imap,edge").await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let mut session = Smtp::greeted(server.shown("SMTP").parse().unwrap()).await;
        session.ask("EHLO client.example", "250").await;
        sessions.push(session);
    }
    // What messages of any size need, such as threads that may wait for the disk, is there.
    deliver_at_once(&mut sessions, of_size(1_000_000)).await;

    let large = of_size(50_000_000);
    let before = anonymous(server.pid());
    let stop = Arc::new(AtomicBool::new(false));
    let watching = watch(server.pid(), Arc::clone(&stop));
    deliver_at_once(&mut sessions, large).await;
    stop.store(true, Ordering::Relaxed);
    let grown = watching.join().unwrap().saturating_sub(before);
    assert!(grown < 1024 * sessions.len() as u64, "{grown} KiB more for {}", sessions.len());
    assert_eq!(server.end(rustix::process::Signal::TERM).await, Some(0));
}
