//! The BY parameter of MAIL (RFC 2852 §4).

use super::command::SyntaxError;
use crate::domain::deliver_by::ByMode;

/// What BY said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct By {
    /// From now on; more than nine digits are never read.
    pub seconds: i64,
    /// What happens then.
    pub mode: ByMode,
    /// Whether each relay is reported.
    pub trace: bool,
}

/// ```abnf
/// by-value = by-time ";" by-mode [by-trace]
/// by-time  = ["-" / "+"] 1*9DIGIT
/// by-mode  = "N" / "R"
/// by-trace = "T"
/// ```
///
/// What is to go back when it is late cannot be late already.
pub(super) fn parse(value: &str) -> Result<By, SyntaxError> {
    read(value).ok_or(SyntaxError::Parameter("BY is not such as 120;R or -3600;N"))
}

fn read(value: &str) -> Option<By> {
    let (time, mode) = value.split_once(';')?;
    let digits = time.strip_prefix(['-', '+']).unwrap_or(time);
    let number = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = time.parse().ok().filter(|_| number)?;
    let (mode, trace) = ByMode::read(mode)?;
    (mode == ByMode::Notify || seconds > 0).then_some(By { seconds, mode, trace })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_modes() {
        let by = |seconds, mode, trace| Some(By { seconds, mode, trace });
        assert_eq!(read("120;R"), by(120, ByMode::Return, false));
        assert_eq!(read("+120;nt"), by(120, ByMode::Notify, true));
        assert_eq!(read("-999999999;N"), by(-999_999_999, ByMode::Notify, false));
        assert_eq!(read("0;N"), by(0, ByMode::Notify, false));
        for bad in [
            "",
            "120",
            "120;",
            ";R",
            "0;R",
            "-5;R",
            "+-5;N",
            "1000000000;N",
            "5;T",
            "5;RTT",
            "5 ;R",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
