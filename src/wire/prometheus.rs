//! The text format that Prometheus reads (exposition format 0.0.4).

use std::fmt::{Display, Write as _};

/// The media type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a number means over time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only grows, until the process starts again.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A page of metrics, written family by family.
#[derive(Default, Debug)]
pub struct Exposition {
    text: String,
    family: &'static str,
}

impl Exposition {
    /// Begins a family; the samples that follow are its own.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.family = name;
        self
    }

    /// One number of the family, told apart by labels. Values of labels may be any text.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.text.push_str(self.family);
        for (place, (name, value)) in labels.iter().enumerate() {
            self.text.push(if place == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{name}=\"");
            escape(&mut self.text, value);
            self.text.push('"');
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
        self
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.text
    }
}

fn escape(into: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '\\' => into.push_str("\\\\"),
            '"' => into.push_str("\\\""),
            '\n' => into.push_str("\\n"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_samples_are_lines() {
        let mut page = Exposition::default();
        page.family("mail_total", Kind::Counter, "Mail.")
            .sample(&[("to", "a\"b\\c\nd"), ("outcome", "delivered")], 3);
        page.family("pool", Kind::Gauge, "Pool.").sample(&[], 1.5);
        assert_eq!(
            page.into_text(),
            "# HELP mail_total Mail.\n# TYPE mail_total counter\n\
             mail_total{to=\"a\\\"b\\\\c\\nd\",outcome=\"delivered\"} 3\n\
             # HELP pool Pool.\n# TYPE pool gauge\npool 1.5\n"
        );
    }
}
