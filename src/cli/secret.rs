//! Passwords typed by people or piped by programs; never in an argument,
//! where every user of the machine could read them.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// More than any password that is taken.
const MAX_LINE: u64 = 4096;

/// Asks twice on a terminal, without an echo; else reads the first line of
/// standard input.
pub(crate) fn read() -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let _quiet = Quiet::begin().context("the terminal's echo cannot be switched off")?;
    let first = ask("New password: ")?;
    let second = ask("The same again: ")?;
    anyhow::ensure!(first == second, "the two passwords differ: nothing was changed");
    Ok(first)
}

fn ask(prompt: &str) -> anyhow::Result<String> {
    eprint!("{prompt}");
    io::stderr().flush()?;
    let answer = line();
    eprintln!();
    answer
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    let mut input = io::stdin().lock().take(MAX_LINE);
    input.read_line(&mut line).context("the password cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal without echo, for as long as this lives.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing better can be done about a terminal that went away.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
