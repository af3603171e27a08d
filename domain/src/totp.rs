//! One-time codes of an authenticator app (RFC 6238: 30 seconds, 6 digits,
//! SHA-1, as every app speaks it) and the recovery codes beside them. The
//! keyed hash itself is computed where there is cryptography.

/// The seconds for which a code stands.
pub const PERIOD: i64 = 30;
/// How many codes of the past, and of the future, are taken: clocks differ.
pub const SKEW: i64 = 1;
/// How many recovery codes somebody has.
pub const RECOVERY_CODES: usize = 10;

const DIGITS: usize = 6;
const RECOVERY_LENGTH: usize = 16;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The time step of a moment, in seconds since 1970.
pub fn step(seconds: i64) -> i64 {
    seconds.div_euclid(PERIOD)
}

/// The steps whose codes are taken at a moment, the latest last.
pub fn steps(seconds: i64) -> impl Iterator<Item = i64> {
    let now = step(seconds);
    now - SKEW..=now + SKEW
}

/// The code out of the HMAC-SHA-1 of its step (RFC 4226, section 5.3).
pub fn code(mac: &[u8]) -> String {
    let offset = usize::from(mac.last().copied().unwrap_or_default() & 0xf);
    let cut = mac.iter().skip(offset).take(4).fold(0_u32, |cut, byte| (cut << 8) | u32::from(*byte));
    format!("{:0DIGITS$}", (cut & 0x7fff_ffff) % 1_000_000)
}

/// Bytes in base32 without padding, as apps take a secret.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(ALPHABET[((held >> bits) & 31) as usize] as char);
        }
    }
    if bits > 0 {
        text.push(ALPHABET[((held << (5 - bits)) & 31) as usize] as char);
    }
    text
}

/// The address that an app reads off a QR code.
pub fn address(issuer: &str, account: &str, secret: &str) -> String {
    let (issuer, account) = (escaped(issuer), escaped(account));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&period={PERIOD}&digits={DIGITS}")
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A recovery code out of random bytes, in groups that can be read aloud.
pub fn recovery_code(random: [u8; 10]) -> String {
    let text = base32(&random).to_lowercase();
    text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// What somebody typed as his second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A code of his app.
    Code(String),
    /// A recovery code, in the form in which it was made.
    Recovery(String),
}

/// Reads what was typed, with blanks and dashes or without.
pub fn read(text: &str) -> Option<Given> {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(RECOVERY_LENGTH + 1).collect();
    if bare.len() == DIGITS && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Given::Code(bare));
    }
    let bare = bare.to_ascii_uppercase();
    if bare.len() == RECOVERY_LENGTH && bare.bytes().all(|byte| ALPHABET.contains(&byte)) {
        let bare = bare.to_lowercase();
        let groups: Vec<_> = bare.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        return Some(Given::Recovery(groups.join("-")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
    }

    #[test]
    fn codes_are_those_of_rfc_4226() {
        // Appendix D: the counts 0, 1 and 6.
        for (mac, expected) in [
            ("cc93cf18508d94934c64b65d8ba7667fb7cde4b0", "755224"),
            ("75a48a19d4cbe100644e8ac1397eea747a2d33ab", "287082"),
            ("bc9cd28561042c83f219324d3c607256c03272ae", "287922"),
        ] {
            assert_eq!(code(&bytes(mac)), expected);
        }
    }

    #[test]
    fn a_code_stands_for_thirty_seconds_and_its_neighbors_count() {
        assert_eq!((step(59), step(60), step(1_111_111_109)), (1, 2, 37_037_036));
        assert_eq!(steps(90).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (plain, expected) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(plain.as_bytes()), expected);
        }
    }

    #[test]
    fn the_address_escapes_what_it_holds() {
        let expected = "otpauth://totp/My%20shop:ada@shop.example?secret=MZXQ&issuer=My%20shop&period=30&digits=6";
        assert_eq!(address("My shop", "ada@shop.example", "MZXQ"), expected);
    }

    #[test]
    fn what_is_typed_is_read_with_blanks_and_capitals() {
        let made = recovery_code([0, 68, 50, 20, 199, 66, 84, 182, 53, 207]);
        assert_eq!(made, "abcd-efgh-ijkl-mnop");
        assert_eq!(read(" ABCD efgh-IJKLmnop "), Some(Given::Recovery(made)));
        assert_eq!(read("123 456"), Some(Given::Code("123456".to_owned())));
        for wrong in ["", "12345", "1234567", "12345a", "abcd-efgh-ijkl-mno1", "abcd-efgh-ijkl-mnopq", "ａｂ"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
