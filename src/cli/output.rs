//! What commands print: plain columns for people, JSON for programs.

use std::io::{self, ErrorKind, Write as _};

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

/// Who reads the output.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Format {
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Format {
    /// For people.
    #[cfg(test)]
    pub(crate) const TEXT: Self = Self { json: false };

    /// Prints `value` as JSON, or the text made of it for people.
    pub(crate) fn show<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        let mut out = if self.json { serde_json::to_string_pretty(value)? } else { text(value) };
        if !out.ends_with('\n') {
            out.push('\n');
        }
        Ok(print(&out)?)
    }
}

/// Writes to standard output; whoever reads it may go away.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Rows under a header, aligned.
pub(crate) struct Table<const N: usize> {
    header: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub(crate) fn new(header: [&'static str; N]) -> Self {
        Self { header, rows: Vec::new() }
    }

    /// Adds a row. Control characters are shown as `?`: what is stored came
    /// from outside, and a terminal obeys them.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| cell.replace(char::is_control, "?")));
    }
}

impl<const N: usize> std::fmt::Display for Table<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let widths: [usize; N] = std::array::from_fn(|column| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
            cells
                .chain(self.header.get(column).copied())
                .map(|c| c.chars().count())
                .max()
                .unwrap_or(0)
        });
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> =
                cells.zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "{}", padded.join("  ").trim_end())
        };
        line(&mut self.header.iter().copied())?;
        self.rows.iter().try_for_each(|row| line(&mut row.iter().map(String::as_str)))
    }
}

/// A moment to the minute, in UTC; `-` for none.
pub(crate) fn moment(at: impl Into<Option<OffsetDateTime>>) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]Z");
    at.into()
        .and_then(|at| at.to_offset(time::UtcOffset::UTC).format(format).ok())
        .unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_terminals_are_safe() {
        let mut table = Table::new(["SLUG", "NAME"]);
        table.row(["acme".into(), "Äcme".into()]);
        table.row(["a_longer_one".into(), "\x1b[2Jgone".into()]);
        assert_eq!(
            table.to_string(),
            "SLUG          NAME\nacme          Äcme\na_longer_one  ?[2Jgone\n"
        );
    }

    #[test]
    fn moments_are_utc_to_the_minute() {
        let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let east = at.to_offset(time::UtcOffset::from_hms(5, 30, 0).unwrap());
        assert_eq!(moment(east), "2023-11-14 22:13Z");
        assert_eq!(moment(None), "-");
    }
}
