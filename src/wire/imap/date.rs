//! Dates and times (RFC 3501 §9, date and date-time).

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};

const MONTHS: [(&str, Month); 12] = [
    ("Jan", Month::January),
    ("Feb", Month::February),
    ("Mar", Month::March),
    ("Apr", Month::April),
    ("May", Month::May),
    ("Jun", Month::June),
    ("Jul", Month::July),
    ("Aug", Month::August),
    ("Sep", Month::September),
    ("Oct", Month::October),
    ("Nov", Month::November),
    ("Dec", Month::December),
];

/// Appends a moment as `date-time`, in the offset it carries. Years past four digits, which have
/// no form here, are cut to the nearest that has one.
///
/// ```abnf
/// date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
/// ```
pub fn encode_date_time(out: &mut Vec<u8>, at: OffsetDateTime) {
    let month = MONTHS.iter().find(|(_, month)| *month == at.month()).map_or("", |(name, _)| name);
    let offset = at.offset();
    let text = format!(
        "\"{:2}-{month}-{:04} {:02}:{:02}:{:02} {}{:02}{:02}\"",
        at.day(),
        at.year().clamp(0, 9999),
        at.hour(),
        at.minute(),
        at.second(),
        if offset.is_negative() { '-' } else { '+' },
        offset.whole_hours().unsigned_abs(),
        offset.minutes_past_hour().unsigned_abs(),
    );
    out.extend_from_slice(text.as_bytes());
}

impl Cursor<'_> {
    /// ```abnf
    /// date      = date-text / DQUOTE date-text DQUOTE
    /// date-text = date-day "-" date-month "-" date-year
    /// ```
    pub(super) fn date(&mut self) -> Parsed<Date> {
        let quoted = self.eat(b"\"");
        let offset = self.offset();
        let day = self.digits(1, 2)?;
        let date = self.month_and_year(day, offset)?;
        if quoted {
            self.expect("\"")?;
        }
        Ok(date)
    }

    /// ```abnf
    /// date-time      = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    /// date-day-fixed = (SP DIGIT) / 2DIGIT
    /// ```
    ///
    /// The moment in UTC.
    pub(super) fn date_time(&mut self) -> Parsed<OffsetDateTime> {
        self.expect("\"")?;
        let offset = self.offset();
        let day = if self.eat(b" ") { self.digits(1, 1)? } else { self.digits(2, 2)? };
        let date = self.month_and_year(day, offset)?;
        self.sp()?;
        let time = self.time()?;
        self.sp()?;
        let zone = self.zone()?;
        self.expect("\"")?;
        // At the very ends of the calendar a zone can lead out of it.
        let moment = OffsetDateTime::new_in_offset(date, time, zone);
        moment
            .checked_to_offset(UtcOffset::UTC)
            .filter(|utc| (0..=9999).contains(&utc.year()))
            .ok_or(invalid("a date and time", offset))
    }

    /// `"-" date-month "-" date-year`, checked against the calendar.
    fn month_and_year(&mut self, day: u8, offset: usize) -> Parsed<Date> {
        self.expect("-")?;
        let month = MONTHS.iter().find(|(name, _)| self.eat(name.as_bytes()));
        let Some(&(_, month)) = month else { return self.expected("a month") };
        self.expect("-")?;
        let year = i32::from(self.digits(2, 2)?) * 100 + i32::from(self.digits(2, 2)?);
        Date::from_calendar_date(year, month, day).map_err(|_| invalid("a date", offset))
    }

    /// ```abnf
    /// time = 2DIGIT ":" 2DIGIT ":" 2DIGIT    ; Hours minutes seconds
    /// ```
    ///
    /// A leap second is the second before it: the calendar here has none.
    fn time(&mut self) -> Parsed<Time> {
        let offset = self.offset();
        let hour = self.digits(2, 2)?;
        self.expect(":")?;
        let minute = self.digits(2, 2)?;
        self.expect(":")?;
        let second = self.digits(2, 2)?;
        let second = if second == 60 { 59 } else { second };
        Time::from_hms(hour, minute, second).map_err(|_| invalid("a time of day", offset))
    }

    /// ```abnf
    /// zone = ("+" / "-") 4DIGIT    ; Signed four-digit value of hhmm
    /// ```
    fn zone(&mut self) -> Parsed<UtcOffset> {
        let offset = self.offset();
        let west = self.eat(b"-");
        if !west {
            self.expect("+")?;
        }
        let minutes = |hours: u8, minutes: u8| i32::from(hours) * 60 + i32::from(minutes);
        let east = minutes(self.digits(2, 2)?, self.digits(2, 2)?) * 60;
        UtcOffset::from_whole_seconds(if west { -east } else { east })
            .map_err(|_| invalid("a time zone", offset))
    }

    /// From `min` to `max` digits, two at most, as a number.
    fn digits(&mut self, min: usize, max: usize) -> Parsed<u8> {
        let found = self.rest().iter().take(max).take_while(|byte| byte.is_ascii_digit()).count();
        if found < min {
            return self.expected("a digit");
        }
        let digits = self.take(found).unwrap_or_default();
        Ok(digits
            .iter()
            .fold(0, |sum: u8, digit| sum.saturating_mul(10).saturating_add(digit - b'0')))
    }
}

fn invalid(what: &'static str, offset: usize) -> SyntaxError {
    SyntaxError { what: What::Expected(what), offset }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn reads_dates() {
        let read = |text: &'static str| Cursor::new(text.as_bytes()).date();
        assert_eq!(read("1-Feb-1994").unwrap(), date!(1994 - 02 - 01));
        assert_eq!(read("\"01-FEB-1994\"").unwrap(), date!(1994 - 02 - 01));
        for bad in [
            "30-Feb-1994",
            "0-Jan-1994",
            "1-Foo-1994",
            "1-Jan-94",
            "\"1-Jan-1994",
            "",
            "1 Jan 1994",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_and_writes_date_times() {
        let read = |text: &str| Cursor::new(text.as_bytes()).date_time();
        assert_eq!(
            read("\"17-Jul-1996 02:44:25 -0730\"").unwrap(),
            datetime!(1996-07-17 10:14:25 UTC)
        );
        assert_eq!(
            read("\" 7-Feb-1994 21:52:60 +0100\"").unwrap(),
            datetime!(1994-02-07 20:52:59 UTC)
        );
        for bad in [
            "\"7-Feb-1994 21:52:25 +0000\"",
            "\"17-Jul-1996 24:44:25 -0700\"",
            "\"17-Jul-1996 02:44:25 0700\"",
            "\"17-Jul-1996 02:44:25 +9999\"",
            "\"31-Dec-9999 23:59:59 -0100\"",
            "\" 1-Jan-0000 00:00:00 +0100\"",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let mut out = Vec::new();
        encode_date_time(&mut out, datetime!(1996-07-01 02:44:25 -07:30));
        assert_eq!(out, b"\" 1-Jul-1996 02:44:25 -0730\"");
    }

    proptest! {
        #[test]
        fn decode_of_encode(seconds in -62_000_000_000i64..250_000_000_000, zone in -1439i32..1440) {
            let utc = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let mut out = Vec::new();
            encode_date_time(&mut out, utc.to_offset(UtcOffset::from_whole_seconds(zone * 60).unwrap()));
            prop_assert_eq!(Cursor::new(&out).date_time().unwrap(), utc);
        }
    }
}
