//! PostgreSQL's words: kept in a bounded file, the last of them at hand.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A log file past this size becomes `.log.1`, in place of the one before.
const LARGEST: u64 = 4 * 1024 * 1024;
/// How much is remembered for an error message.
const REMEMBERED: usize = 4 * 1024;

/// Copies everything a process says to the log until it is silent for good; returns the end of it.
/// A log that cannot be written is no reason to stop reading: the process would hang.
pub(super) fn keep(mut words: impl Read, path: &Path) -> Vec<u8> {
    let mut log = Log::open(path);
    let mut end = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match words.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) | Ok(0) => return end,
            Ok(count) => {
                let read = chunk.get(..count).unwrap_or_default();
                log.write(read);
                end.extend_from_slice(read);
                end.drain(..end.len().saturating_sub(REMEMBERED));
            }
        }
    }
}

/// The line that says most: the last that is fatal or an error, else the last.
pub(super) fn last_words(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines = || text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let telling = |line: &&str| {
        ["FATAL:", "PANIC:", "ERROR:", "error:"].iter().any(|word| line.contains(word))
    };
    lines().find(telling).or_else(|| lines().next()).unwrap_or("it gave no reason").to_owned()
}

struct Log {
    path: PathBuf,
    file: Option<File>,
    size: u64,
}

impl Log {
    fn open(path: &Path) -> Self {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).ok();
        let size = file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |data| data.len());
        Self { path: path.to_owned(), file, size }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.size > LARGEST && fs::rename(&self.path, self.path.with_extension("log.1")).is_ok()
        {
            *self = Self::open(&self.path);
        }
        if let Some(file) = &mut self.file
            && file.write_all(bytes).is_ok()
        {
            self.size += bytes.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_line_is_found() {
        assert_eq!(last_words(b"LOG: a\nx FATAL:  too bad\nHINT: b\n\n"), "x FATAL:  too bad");
        assert_eq!(last_words(b"one\ntwo\n"), "two");
        assert_eq!(last_words(b"\n"), "it gave no reason");
    }

    #[test]
    fn the_log_is_bounded_and_its_end_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("postgres.log");
        let line = b"a line of some length, to fill a log file with\n";
        let words = line.repeat(3 * usize::try_from(LARGEST).unwrap() / line.len());
        let end = keep(words.as_slice(), &path);
        assert_eq!(end, words[words.len() - REMEMBERED..]);
        let size = |name| fs::metadata(dir.path().join(name)).unwrap().len();
        assert!(size("postgres.log") <= LARGEST + 4096 && size("postgres.log.1") <= LARGEST + 8192);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
