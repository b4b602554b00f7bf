//! The client's side of SMTP, as far as all who send need it.

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
