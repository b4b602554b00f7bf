//! What the server under test logs, kept for whoever asks why a test failed.

use std::fs::File;
use std::sync::Mutex;

/// Where: beside what the build keeps for tests, written anew by each run.
const LOG: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/it.log");

/// Keeps warnings and errors of everything in this process, from now on.
pub fn keep() {
    let log = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::WARN);
    let file = Mutex::new(File::create(LOG).unwrap());
    // A test that keeps a log of its own came first.
    let _ = log.with_writer(file).try_init();
}
