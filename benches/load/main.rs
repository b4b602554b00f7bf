//! What the server does under load: the server of this build as a process of its own, with durable
//! settings, on a database of its own in a temporary folder.
//!
//! `cargo bench --bench load -- receive`, `-- send`, `-- imap` or `-- idle`; what follows is theirs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]
// Figures are printed with few digits; counts are far below 2^52.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod idle;
mod imap;
mod process;
mod receive;
mod send;
mod server;
mod smtp;

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.split_first() {
        Some((what, rest)) if what == "receive" => receive::run_all(rest).await,
        Some((what, rest)) if what == "send" => send::run_all(rest).await,
        Some((what, rest)) if what == "imap" => imap::run_all(rest).await,
        Some((what, rest)) if what == "idle" => idle::run_all(rest).await,
        _ => eprintln!(
            "cargo bench --bench load -- receive [SECONDS] [plain | rules]\n                           send [MESSAGES] [ROUNDS]\n                           imap [ROUNDS]\n                           idle [CONNECTIONS]"
        ),
    }
}
