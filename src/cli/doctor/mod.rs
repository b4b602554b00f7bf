//! `koltrix-mail doctor`: what would go wrong, before it does.

mod domains;
mod machine;
mod names;
mod ports;
mod services;

use anyhow::bail;
use serde::Serialize;

use super::context::Context;
use super::output::Format;

/// Look at everything the server needs; exit code 1 when something is wrong.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail doctor --config /etc/koltrix-mail.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    format: Format,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    /// Whether it is as it should be.
    ok: bool,
    /// What was found.
    found: String,
    /// What to do about it; empty when it is well.
    advice: String,
}

fn ok(check: &'static str, found: impl Into<String>) -> Finding {
    Finding { check, ok: true, found: found.into(), advice: String::new() }
}

fn problem(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { check, ok: false, found: found.into(), advice: advice.into() }
}

impl Args {
    /// Takes the configuration as it was read: that it cannot be is a finding.
    pub(crate) async fn run(self, context: anyhow::Result<Context>) -> anyhow::Result<()> {
        let mut findings = Vec::new();
        match context {
            Err(error) => findings.push(problem(
                "configuration",
                format!("{error:#}"),
                "correct it; config.toml explains every option",
            )),
            Ok(context) => {
                findings.push(ok("configuration", context.origin.clone()));
                findings.extend(machine::look(&context.config));
                findings.extend(names::look(&context.config).await);
                findings.extend(services::look(&context).await);
                findings.extend(ports::look(&context.config).await);
            }
        }
        self.format.show(&findings, |findings| lines(findings))?;
        match findings.iter().filter(|finding| !finding.ok).count() {
            0 => Ok(()),
            1 => bail!("there is a problem"),
            many => bail!("there are {many} problems"),
        }
    }
}

fn lines(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let state = if finding.ok { "ok     " } else { "PROBLEM" };
        let found = finding.found.replace(char::is_control, " ");
        let advice = match finding.advice.as_str() {
            "" => String::new(),
            advice => format!("\n{:1$}-> {advice}", "", width + 11),
        };
        format!("{state}  {:width$}  {found}{advice}\n", finding.check)
    };
    findings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_stands_under_what_was_found() {
        let text = lines(&[ok("clock", "fine"), problem("objects", "gone\naway", "do this")]);
        assert_eq!(
            text,
            "ok       clock    fine\nPROBLEM  objects  gone away\n                  -> do this\n"
        );
    }

    #[tokio::test]
    async fn a_configuration_that_cannot_be_read_is_a_finding() {
        let args = Args { format: Format::TEXT };
        let error = args.run(Err(anyhow::anyhow!("no such file"))).await.unwrap_err();
        assert_eq!(error.to_string(), "there is a problem");
    }
}
