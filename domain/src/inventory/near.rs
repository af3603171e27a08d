//! Which location is nearest to where a parcel goes. Nobody looks addresses up on a map for it: within a country the
//! province and the beginning of the postal code tell, between countries the distance of their middles.

use crate::address::Address;
use crate::text::CountryCode;

/// The middle of each country: its code, whole degrees north, whole degrees east.
const MIDDLES: &str = "\
    AD 42 2, AE 24 54, AF 33 65, AG 17 -62, AI 18 -63, AL 41 20, AM 40 45, AO -12 18, AQ -90 0, AR -34 -64, \
    AS -14 -170, AT 47 13, AU -27 133, AW 12 -70, AX 60 20, AZ 40 48, BA 44 18, BB 13 -60, BD 24 90, BE 51 4, \
    BF 13 -2, BG 43 25, BH 26 51, BI -4 30, BJ 10 2, BL 18 -63, BM 32 -65, BN 4 115, BO -17 -65, BQ 12 -68, \
    BR -10 -55, BS 24 -76, BT 28 90, BV -54 3, BW -22 24, BY 53 28, BZ 17 -89, CA 60 -95, CC -12 97, CD 0 25, \
    CF 7 21, CG -1 15, CH 47 8, CI 8 -5, CK -21 -160, CL -30 -71, CM 6 12, CN 35 105, CO 4 -72, CR 10 -84, \
    CU 22 -80, CV 16 -24, CW 12 -69, CX -10 106, CY 35 33, CZ 50 16, DE 51 9, DJ 12 43, DK 56 10, DM 15 -61, \
    DO 19 -71, DZ 28 3, EC -2 -78, EE 59 26, EG 27 30, EH 24 -13, ER 15 39, ES 40 -4, ET 8 38, FI 64 26, \
    FJ -18 175, FK -52 -59, FM 7 158, FO 62 -7, FR 46 2, GA -1 12, GB 54 -2, GD 12 -62, GE 42 44, GF 4 -53, \
    GG 49 -3, GH 8 -2, GI 36 -5, GL 72 -40, GM 13 -17, GN 11 -10, GP 16 -62, GQ 2 10, GR 39 22, GS -54 -37, \
    GT 16 -90, GU 13 145, GW 12 -15, GY 5 -59, HK 22 114, HM -53 73, HN 15 -86, HR 45 16, HT 19 -72, \
    HU 47 20, ID -5 120, IE 53 -8, IL 32 35, IM 54 -4, IN 20 77, IO -6 72, IQ 33 44, IR 32 53, IS 65 -18, \
    IT 43 13, JE 49 -2, JM 18 -77, JO 31 36, JP 36 138, KE 1 38, KG 41 75, KH 13 105, KI 1 173, KM -12 44, \
    KN 17 -63, KP 40 127, KR 37 128, KW 30 46, KY 20 -80, KZ 48 68, LA 18 105, LB 34 36, LC 14 -61, LI 47 10, \
    LK 7 81, LR 6 -10, LS -30 28, LT 56 24, LU 50 6, LV 57 25, LY 25 17, MA 32 -5, MC 44 7, MD 47 29, \
    ME 43 19, MF 18 -63, MG -20 47, MH 9 168, MK 42 22, ML 17 -4, MM 22 98, MN 46 105, MO 22 114, MP 15 146, \
    MQ 15 -61, MR 20 -12, MS 17 -62, MT 36 15, MU -20 58, MV 3 73, MW -14 34, MX 23 -102, MY 2 112, \
    MZ -18 35, NA -22 17, NC -22 166, NE 16 8, NF -29 168, NG 10 8, NI 13 -85, NL 52 6, NO 62 10, NP 28 84, \
    NR -1 167, NU -19 -170, NZ -41 174, OM 21 57, PA 9 -80, PE -10 -76, PF -15 -140, PG -6 147, PH 13 122, \
    PK 30 70, PL 52 20, PM 47 -56, PN -25 -130, PR 18 -66, PS 32 35, PT 40 -8, PW 8 134, PY -23 -58, \
    QA 26 51, RE -21 56, RO 46 25, RS 44 21, RU 60 100, RW -2 30, SA 25 45, SB -8 159, SC -5 56, SD 15 30, \
    SE 62 15, SG 1 104, SH -16 -6, SI 46 15, SJ 78 20, SK 49 20, SL 8 -12, SM 44 12, SN 14 -14, SO 10 49, \
    SR 4 -56, SS 7 30, ST 1 7, SV 14 -89, SX 18 -63, SY 35 38, SZ -26 32, TC 22 -72, TD 15 19, TF -49 69, \
    TG 8 1, TH 15 100, TJ 39 71, TK -9 -172, TL -9 126, TM 40 60, TN 34 9, TO -20 -175, TR 39 35, TT 11 -61, \
    TV -8 178, TW 24 121, TZ -6 35, UA 49 32, UG 1 32, UM 19 167, US 38 -97, UY -33 -56, UZ 41 64, VA 42 12, \
    VC 13 -61, VE 8 -66, VG 18 -65, VI 18 -65, VN 16 108, VU -16 167, WF -13 -176, WS -14 -172, YE 15 48, \
    YT -13 45, ZA -29 24, ZM -15 30, ZW -20 30";

/// Kilometers around the Earth's middle.
const EARTH_KM: f64 = 6371.0;

/// How far it is from a location to an address; the lower is nearer. Comparable for one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distance {
    /// In the same country: whether in another province, or in one that isn't known, then how many characters of the
    /// postal code differ.
    Within {
        /// In another province.
        elsewhere: bool,
        /// Characters of the address's postal code behind what both share.
        postal: usize,
    },
    /// In another country, so many kilometers away.
    Abroad(u32),
    /// Nobody knows where the location is.
    Unknown,
}

/// How far it is from a location in `country`, at `place` when that is known, to where a parcel goes.
pub fn distance(country: Option<&CountryCode>, place: Option<&Address>, to: &Address) -> Distance {
    let Some(country) = country else { return Distance::Unknown };
    if *country != to.country {
        let kilometers = middle(country).zip(middle(&to.country)).map(|(one, other)| kilometers(one, other));
        return kilometers.map_or(Distance::Unknown, Distance::Abroad);
    }
    let province = place.and_then(|place| place.province.as_ref());
    let elsewhere = province.is_none() || province != to.province.as_ref();
    let code = |address: &Address| -> Vec<char> {
        let text = address.postal_code.as_deref().unwrap_or_default();
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
    };
    let (theirs, ours) = (code(to), place.map(code).unwrap_or_default());
    let shared = theirs.iter().zip(&ours).take_while(|(one, other)| one == other).count();
    Distance::Within { elsewhere, postal: theirs.len() - shared }
}

fn middle(country: &CountryCode) -> Option<(f64, f64)> {
    let row = MIDDLES.split(", ").find_map(|row| row.trim().strip_prefix(country.as_str()))?;
    let (north, east) = row.trim().split_once(' ')?;
    Some((north.parse().ok()?, east.parse().ok()?))
}

/// Along the surface of a ball.
fn kilometers((north, east): (f64, f64), (north2, east2): (f64, f64)) -> u32 {
    let (up, along) = ((north2 - north).to_radians() / 2.0, (east2 - east).to_radians() / 2.0);
    let half = up.sin().powi(2) + north.to_radians().cos() * north2.to_radians().cos() * along.sin().powi(2);
    (2.0 * EARTH_KM * half.sqrt().min(1.0).asin()).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> CountryCode {
        code.parse().unwrap()
    }

    fn at(code: &str, province: Option<&str>, postal: &str) -> Address {
        Address {
            first_name: None,
            last_name: "Ada".into(),
            company: None,
            address1: "1".into(),
            address2: None,
            city: "X".into(),
            province: province.map(str::to_owned),
            postal_code: Some(postal.to_owned()),
            country: country(code),
            phone: None,
        }
    }

    #[test]
    fn every_country_has_a_middle() {
        assert_eq!(MIDDLES.split(", ").count(), 249);
        for row in MIDDLES.split(", ") {
            let (north, east) = middle(&country(&row.trim()[..2])).unwrap();
            assert!(north.abs() <= 90.0 && east.abs() <= 180.0, "{row}");
        }
    }

    #[test]
    fn between_countries_the_middles_tell() {
        let to = |from: &str, to: &str| distance(Some(&country(from)), None, &at(to, None, "1"));
        assert!(to("DE", "AT") < to("US", "AT"));
        assert!(to("US", "CA") < to("DE", "CA"));
        assert!(to("NZ", "FJ") < to("FR", "FJ"), "over the date line");
        let Distance::Abroad(far) = to("DE", "NZ") else { panic!("another country") };
        assert!((17_500..19_000).contains(&far), "{far}");
        assert!(distance(None, None, &at("AT", None, "1")) > to("US", "AT"));
    }

    #[test]
    fn within_a_country_the_province_tells_and_then_the_postal_code() {
        let to = at("US", Some("NY"), "10001");
        let from = |province, postal| distance(Some(&to.country), Some(&at("US", province, postal)), &to);
        assert!(from(Some("NY"), "14201") < from(Some("NJ"), "10002"));
        assert!(from(Some("NY"), "10023") < from(Some("NY"), "14201"));
        assert_eq!(from(Some("NY"), "10001"), Distance::Within { elsewhere: false, postal: 0 });
        assert!(distance(Some(&to.country), None, &to) < distance(Some(&country("CA")), None, &to));
    }
}
