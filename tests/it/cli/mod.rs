//! The program as operators and their scripts use it.

mod doctor;
mod memory;
mod operator;
pub mod serve;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The program with a configuration of its own.
pub struct Program {
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Program {
    /// With this configuration, whose relative paths are inside a fresh folder.
    pub fn with(configuration: &str) -> Self {
        let folder = crate::support::open_folder();
        std::fs::write(folder.path().join("koltrix.toml"), configuration).unwrap();
        Self { folder }
    }

    /// Where a file of its folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_koltrix-mail"));
        command.args(line.split_whitespace()).arg("--config").arg("koltrix.toml");
        command.current_dir(Path::new(self.folder.path())).kill_on_drop(true);
        // What is measured of its memory is what it uses, not how large the system's pages are.
        command.env("MIMALLOC_ALLOW_THP", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    async fn run(&self, line: &str) -> Done {
        self.run_with(line, "").await
    }

    /// With something on standard input.
    pub async fn run_with(&self, line: &str, input: &str) -> Done {
        let mut child = self.command(line).spawn().unwrap();
        // A command that reads nothing may have closed it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// What a command that succeeds prints.
    pub async fn ok(&self, line: &str) -> String {
        let done = self.run(line).await;
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{line}: {}", done.out);
        done.out
    }

    /// The JSON that a command that succeeds prints.
    pub async fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(&format!("{line} --json")).await).unwrap()
    }

    /// The sentence of a command that fails.
    pub async fn error(&self, line: &str) -> String {
        let done = self.run(line).await;
        assert_eq!(done.code, 1, "{line}: {}{}", done.out, done.err);
        let sentence = done.err.strip_prefix("koltrix-mail: ").unwrap_or_else(|| {
            panic!("{line} does not say who speaks: {}", done.err);
        });
        assert_eq!(sentence.lines().count(), 1, "{line} says more than a sentence: {sentence}");
        sentence.trim_end().to_owned()
    }
}
