//! Words, slips and ranges.

use proptest::prelude::*;

use super::*;

fn list(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn accents_and_capitals_make_no_difference() {
    assert_eq!(words("Crème BRÛLÉE, Größe №2"), list(&["creme", "brulee", "grosse", "no2"]));
    assert_eq!(words("Gardener's Łódź İstanbul ΣΟΦΟΣ"), list(&["gardeners", "lodz", "istanbul", "σοφοσ"]));
    assert_eq!(fold("한국어"), "한국어");
}

#[test]
fn scripts_without_blanks_are_cut_into_letters() {
    assert_eq!(words("日本酒 no.1"), list(&["日", "本", "酒", "no", "1"]));
    assert_eq!(words("abc日def"), list(&["abc", "日", "def"]));
}

#[test]
fn german_vowels_are_found_either_way() {
    let document = Document::new([(Part::Title, "Käse")]);
    assert_eq!(document.title, "kaese kase");
}

#[test]
fn codes_are_found_whole_and_in_parts() {
    let document = Document::new([(Part::Code, "TS-41/x")]);
    assert_eq!(document.code, "41 ts ts41x x");
    assert!(document.vocabulary().is_empty());
}

#[test]
fn markup_is_no_text() {
    let html = "<p class=\"blue\">Red&nbsp;&amp; R&D <b>hot</b>&#8230; a < b & c</p>";
    assert_eq!(Document::new([(Part::Body, html)]).body, "a b c d hot r red");
    assert_eq!(Document::new([(Part::Body, "cut <b")]).body, "b cut");
}

#[test]
fn slips_are_counted() {
    let pairs = [("shirt", "shirt", 0), ("shrit", "shirt", 1), ("hirt", "shirt", 1), ("xhirt", "shirt", 1)];
    for (one, other, slips) in pairs {
        assert_eq!(distance(one, other), slips, "{one} {other}");
    }
    assert_eq!(distance("wheelbrorw", "wheelbarrow"), 2);
    assert_eq!(["mug", "mugs", "trailer", "trailers", "iphone12"].map(slips), [0, 1, 1, 2, 0]);
}

#[test]
fn the_closest_words_of_most_products_stand_for_a_slip() {
    let known = [("shirts", 9), ("shirt", 2), ("short", 5), ("skirt", 5), ("shift", 1)];
    let known: Vec<_> = known.into_iter().map(|(word, products)| (word.to_owned(), products)).collect();
    assert_eq!(closest("shirl", &known), list(&["shirt"]));
    assert_eq!(closest("shiirt", &known), list(&["shirt"]));
    assert_eq!(closest("shart", &known), list(&["short", "shirt"]));
    assert_eq!(closest("sht", &known), list(&[]));
}

#[test]
fn queries_have_bounds_and_no_syntax() {
    assert_eq!(Query::read(&"x".repeat(201)).unwrap_err().code, ErrorCode::Invalid);
    assert_eq!(Query::read(&"x ".repeat(11)).unwrap_err().code, ErrorCode::TooMany);
    let query = Query::read("\"red OR\" NEAR(a* :b) & !c").unwrap();
    assert_eq!(query.words, list(&["red", "or", "near", "a", "b", "c"]));
    assert_eq!((query.terms()[5].open, query.terms()[4].open), (true, false));
    assert_eq!(Query::read(" * ").unwrap(), Query { words: Vec::new(), blank: false });
    assert!(Query::read("  ").unwrap().blank);
}

#[test]
fn words_are_completed_with_what_follows_in_titles() {
    let titles = ["Trail Shirt", "Trail Shoes", "Trail Shirt (red)", "Travel Mug", "Träger"];
    let completed = |text: &str| completions(&Query::read(text).unwrap().terms(), &titles, 4);
    assert_eq!(completed("tra"), ["trail", "trail shirt", "träger", "travel"]);
    assert_eq!(completed("trail sh"), ["trail shirt", "trail shoes", "trail shirt red"]);
    assert_eq!(completed("mu"), ["mug"]);
    assert_eq!(completed(""), list(&[]));
}

#[test]
fn five_ranges_cover_the_spread() {
    assert_eq!(price_ranges(100, 199), [(100, 119), (120, 139), (140, 159), (160, 179), (180, 199)]);
    assert_eq!(price_ranges(7, 7)[0], (7, 7));
}

proptest! {
    #[test]
    fn words_are_letters_and_digits_and_folded_for_good(text: String) {
        for word in words(&text) {
            prop_assert!(!word.is_empty());
            prop_assert!(word.chars().all(|c| c.is_alphanumeric() || is_combining_mark(c)), "{word:?}");
            prop_assert!(word.chars().all(|c| !c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit()));
        }
    }

    #[test]
    fn words_that_are_close_share_a_piece(
        word in "[a-d]{3,12}",
        places in prop::collection::vec((0..12_usize, 0..4_u8, prop::char::range('a', 'd')), 0..3),
    ) {
        let mut typed: Vec<char> = word.chars().collect();
        for (place, what, letter) in places {
            let place = place % typed.len().max(1);
            match what {
                0 => typed.insert(place, letter),
                1 if typed.len() > 1 => { typed.remove(place); }
                2 if place + 1 < typed.len() => typed.swap(place, place + 1),
                _ => if let Some(c) = typed.get_mut(place) { *c = letter },
            }
        }
        let typed: String = typed.into_iter().collect();
        if distance(&typed, &word) <= slips(&typed) && slips(&typed) > 0 {
            prop_assert!(!pieces(&word).is_disjoint(&pieces_of_slip(&typed)), "{typed} {word}");
        }
    }

    #[test]
    fn slips_are_the_same_from_either_side(one in "[a-c]{0,6}", other in "[a-c]{0,6}") {
        prop_assert_eq!(distance(&one, &other), distance(&other, &one));
        prop_assert_eq!(distance(&one, &other) == 0, one == other);
        let (long, short) = (one.len().max(other.len()), one.len().min(other.len()));
        prop_assert!((long - short..=long).contains(&distance(&one, &other)));
    }

    #[test]
    fn every_price_lies_in_the_range_of_its_number(lowest in 0..1_000_i64, span in 0..1_000_i64, part in 0..1_000_i64) {
        let price = lowest + part % (span + 1);
        let place = (price - lowest) * 5 / (span + 1);
        let (from, to) = price_ranges(lowest, lowest + span)[place as usize];
        prop_assert!((from..=to).contains(&price));
    }

    #[test]
    fn no_markup_is_too_broken(html: String) {
        without_tags(&html);
    }
}
