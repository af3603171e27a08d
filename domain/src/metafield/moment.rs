//! Days and moments as numbers, without a clock: the calendar of ISO 8601 from
//! year 1 to 9999.

const DAY: i64 = 86_400_000_000;

fn number(text: &str, digits: usize) -> Option<i64> {
    let well_formed = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if well_formed { text.parse().ok() } else { None }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days between 1970-01-01 and a day. Years begin in March here, so that the
/// leap day is a year's last.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Reads `YYYY-MM-DD` into days since 1970-01-01.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let exists = parts.next().is_none() && year >= 1 && (1..=12).contains(&month);
    (exists && (1..=days_of(year, month)).contains(&day)).then(|| day_number(year, month, day))
}

/// Writes days since 1970-01-01 as `YYYY-MM-DD`.
pub fn format_date(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Reads a moment of RFC 3339 into microseconds since 1970-01-01T00:00:00Z.
pub fn parse_moment(text: &str) -> Option<i64> {
    let days = parse_date(text.get(..10)?)?;
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return None;
    }
    let clock = text.get(11..19)?;
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let rest = text.get(19..)?;
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("", rest),
    };
    if rest.starts_with('.') && !(1..=6).contains(&fraction.len()) {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    let offset = match offset {
        "Z" | "z" => 0,
        _ => {
            let (sign, rest) = offset.split_at_checked(1)?;
            let (hours, minutes) = rest.split_once(':')?;
            let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            match sign {
                "+" => hours * 60 + minutes,
                "-" => -(hours * 60 + minutes),
                _ => return None,
            }
        }
    };
    let seconds = hour * 3_600 + (minute - offset) * 60 + second;
    let moment = days * DAY + seconds * 1_000_000 + micros;
    // An offset must not carry a moment out of the years that can be written.
    let days = moment.div_euclid(DAY);
    (parse_date(&format_date(days)) == Some(days)).then_some(moment)
}

/// Writes microseconds since 1970-01-01T00:00:00Z in UTC.
pub fn format_moment(moment: i64) -> String {
    let (days, within) = (moment.div_euclid(DAY), moment.rem_euclid(DAY));
    let (seconds, micros) = (within / 1_000_000, within % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{}T{hour:02}:{minute:02}:{second:02}{fraction}Z", format_date(days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(parse_date("1970-01-01"), Some(0));
        assert_eq!(parse_date("2000-02-29"), Some(11_016));
        assert_eq!(parse_date("1969-12-31"), Some(-1));
        for text in [
            "1900-02-29",
            "2026-02-30",
            "2026-13-01",
            "2026-00-01",
            "0000-01-01",
            "26-01-01",
            "2026-1-1",
            "",
            "2026-01-01-01",
            "２026-01-01",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn moments_come_back_in_utc() {
        let read = |text| parse_moment(text).map(format_moment);
        assert_eq!(read("2026-02-28T23:30:00-01:00").as_deref(), Some("2026-03-01T00:30:00Z"));
        assert_eq!(read("2026-02-28t12:00:00.5z").as_deref(), Some("2026-02-28T12:00:00.500000Z"));
        for text in [
            "2026-02-28",
            "2026-02-28T12:00:00",
            "2026-02-28T24:00:00Z",
            "2026-02-28T12:60:00Z",
            "2026-02-28T12:00:60Z",
            "2026-02-28 12:00:00Z",
            "2026-02-28T12:00:00.Z",
            "2026-02-28T12:00:00.1234567Z",
            "2026-02-28T12:00:00+1",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-02-28T12:00:00é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_comes_back(days in -719_162i64..2_932_896) {
            prop_assert_eq!(parse_date(&format_date(days)), Some(days));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = (parse_date(&text), parse_moment(&text));
        }
    }
}
