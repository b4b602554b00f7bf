//! Messages as mailboxes have them.

use std::fmt::Write as _;

/// Which words are in every hundredth message only.
pub const NEEDLE: &str = "xylophone";

/// Message `n` of mailbox `user`: of ten, seven short texts, two with HTML beside the text, one
/// with a file of 60 KB.
pub fn message(user: usize, n: usize) -> Vec<u8> {
    let mut message = format!(
        "Return-Path: <sender{0}@peer.example>\r\nReceived: from peer.example by mx.bench.test; Mon, 23 Nov 2026 10:00:00 +0000\r\n\
         Message-ID: <{n}.{user}@peer.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\
         From: Sender {0} <sender{0}@peer.example>\r\nTo: User {user} <user{user}@bench.test>\r\n\
         Subject: Message {n} about topic {1}\r\nMIME-Version: 1.0\r\nX-Ticket: ticket-{n}\r\n",
        n % 50,
        n % 23,
    );
    let text = text(n, 3000 + n * 37 % 2000);
    match n % 10 {
        0 => {
            let file: String = (0..780).fold(String::new(), |mut file, line| {
                let _ = write!(file, "{:076x}\r\n", (line + 1) * (n + 7919) * 104_729);
                file
            });
            let _ = write!(
                message,
                "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
                 --b\r\nContent-Type: application/pdf; name=\"file{n}.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment; filename=\"file{n}.pdf\"\r\n\r\n{file}--b--\r\n"
            );
        }
        1 | 2 => {
            let _ = write!(
                message,
                "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
                 --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>{}</p></body></html>\r\n--b--\r\n",
                text.repeat(2)
            );
        }
        _ => {
            let _ = write!(message, "Content-Type: text/plain; charset=utf-8\r\n\r\n{text}");
        }
    }
    message.into_bytes()
}

fn text(n: usize, size: usize) -> String {
    const WORDS: [&str; 16] = [
        "meeting", "invoice", "the", "project", "and", "tomorrow", "budget", "please", "review",
        "with", "schedule", "customer", "for", "delivery", "report", "about",
    ];
    let mut text = String::with_capacity(size + 80);
    let mut word = n;
    if n.is_multiple_of(100) {
        let _ = write!(text, "There is a {NEEDLE} in it.\r\n");
    }
    while text.len() < size {
        for _ in 0..9 {
            word = word.wrapping_mul(1_103_515_245).wrapping_add(12_345) % 2_147_483_648;
            text.push_str(WORDS[word / 65_536 % 16]);
            text.push(' ');
        }
        text.push_str("\r\n");
    }
    text
}
