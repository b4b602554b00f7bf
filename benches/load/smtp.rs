//! The client's side of SMTP, as far as all who send need it.

use std::fmt::Write as _;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Reads one reply, all its lines.
pub async fn expect(smtp: &mut (impl AsyncBufRead + Unpin), code: &str) {
    loop {
        let mut line = String::new();
        smtp.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(code), "wanted {code}, got {line:?}");
        if line.get(3..4) != Some("-") {
            return;
        }
    }
}

/// A message of at least `size` octets, as DATA takes it, with the final dot.
pub fn message(from: &str, to: &str, size: usize) -> Vec<u8> {
    let id = uuid::Uuid::new_v4();
    let mut text = format!(
        "From: Load <{from}>\r\nTo: {to}\r\nSubject: A message of {size} octets\r\n\
         Message-ID: <{id}@load.example>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    let mut line = 0;
    while text.len() < size {
        line += 1;
        let _ = write!(text, "Line {line} of {id}, which is as long as lines of prose are.\r\n");
    }
    text.push_str(".\r\n");
    text.into_bytes()
}
