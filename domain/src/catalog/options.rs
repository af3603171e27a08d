//! Options: the handles under which products share them, and the choice that
//! each variant makes among them.

use std::collections::{HashMap, HashSet};

use super::check::fits;
use super::{MAX_OPTION_HANDLE, MAX_OPTION_VALUES, MAX_OPTIONS, OptionDraft, VariantDraft};
use crate::refusal::{ErrorCode, Refusal, Refusals};
use crate::text::{self, Handle, MAX_TITLE};

/// The handle under which products share an option or one of its values, the
/// same whatever its capitals; `None` for blank text only.
///
/// Two names with one handle are one option, so what a handle can't spell may
/// not just fall away (`C`, `C#` and `C++`, or `色 2` and `形 2`): it is added in hex,
/// and a name of nothing else is hex as a whole: `日本` is `x-e697a5e69cac`. No
/// hash: the scheme must stay the same for as long as the rows live.
pub fn option_handle(name: &str) -> Option<Handle> {
    let name = name.trim().to_lowercase();
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let made = match Handle::from_title(&name) {
        None => format!("x-{}", hex(&name)),
        Some(handle) => {
            let sign = if name.starts_with('-') { "-" } else { "" };
            let unspelled: String = name.chars().filter(|c| !separates(*c) && !spelled(*c)).collect();
            match format!("{sign}{unspelled}") {
                lost if lost.is_empty() => handle.to_string(),
                lost => format!("{handle}-x{}", hex(&lost)),
            }
        }
    };
    let cut = made.get(..MAX_OPTION_HANDLE).unwrap_or(&made);
    // "x-" alone, of blank text, becomes "x" here and must not pass for a name.
    if name.is_empty() { None } else { cut.trim_end_matches('-').parse().ok() }
}

/// The title of a variant that has none of its own: its values, such as
/// `Green / M`, or the product's title when it has no options.
pub fn made_title<'v>(product_title: &str, values: impl IntoIterator<Item = &'v str>) -> String {
    match values.into_iter().collect::<Vec<_>>() {
        values if values.is_empty() => product_title.to_owned(),
        values => values.join(" / ").chars().take(MAX_TITLE).collect(),
    }
}

/// Whether the letter or digit has a place of its own in a handle.
fn spelled(c: char) -> bool {
    Handle::from_title(c.encode_utf8(&mut [0; 4])).is_some()
}

/// Whether the character only stands between words. A slash does not: a screw
/// of 1/2 inch is not one of 1.2.
fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '\'' | '’' | '.' | ',' | ':' | ';' | '&' | '(' | ')')
}

/// An option of the product while its variants are held against it.
pub(super) struct KnownOption {
    pub(super) name: String,
    handle: Handle,
    pub(super) values: Vec<String>,
    /// Where the value with this handle stands in `values`.
    places: HashMap<Handle, usize>,
    /// Whether variants may bring values: none were declared.
    open: bool,
}

/// The options that were declared, or else those that the variants name;
/// `None` when they are faulty.
pub(super) fn known_options(
    declared: Vec<OptionDraft>,
    variants: &[VariantDraft],
    refusals: &mut Refusals,
) -> Option<Vec<KnownOption>> {
    if !declared.is_empty() {
        return declared_options(declared, refusals);
    }
    let mut options: Vec<KnownOption> = Vec::new();
    for (name, _) in variants.iter().flat_map(|variant| &variant.options) {
        // A name that is no name is refused where the variant that has it is checked.
        let (Ok(name), Some(handle)) = (text::title(name), option_handle(name)) else { continue };
        if options.iter().all(|option| option.handle != handle) {
            if options.len() == MAX_OPTIONS {
                fits(MAX_OPTIONS + 1, MAX_OPTIONS, &["options"], refusals);
                return None;
            }
            options.push(KnownOption { name, handle, values: Vec::new(), places: HashMap::new(), open: true });
        }
    }
    Some(options)
}

fn declared_options(declared: Vec<OptionDraft>, refusals: &mut Refusals) -> Option<Vec<KnownOption>> {
    if !fits(declared.len(), MAX_OPTIONS, &["options"], refusals) {
        return None;
    }
    let mut faults = Refusals::default();
    let mut options: Vec<KnownOption> = Vec::new();
    for (place, option) in declared.into_iter().enumerate() {
        let place = place.to_string();
        let path = ["options", &place, "name"];
        let name = faults.keep(text::title(&option.name).map_err(|refusal| refusal.at(path)));
        let mut places = HashMap::new();
        let mut values = Vec::new();
        if fits(option.values.len(), MAX_OPTION_VALUES, &["options", &place, "values"], &mut faults) {
            for (value_place, value) in option.values.iter().enumerate() {
                let path = ["options", &place, "values", &value_place.to_string()];
                let Some(value) = faults.keep(text::title(value).map_err(|refusal| refusal.at(path))) else { continue };
                let Some(handle) = option_handle(&value) else { continue };
                if places.insert(handle, values.len()).is_some() {
                    faults.push(Refusal::new(ErrorCode::Duplicate, "The option has this value already.").at(path));
                }
                values.push(value);
            }
        }
        let Some((name, handle)) = name.and_then(|name| option_handle(&name).map(|handle| (name, handle))) else {
            continue;
        };
        if options.iter().any(|known| known.handle == handle) {
            faults.push(Refusal::new(ErrorCode::Duplicate, "The product has an option of this name already.").at(path));
        }
        let open = option.values.is_empty();
        options.push(KnownOption { name, handle, values, places, open });
    }
    match faults.into_result() {
        Ok(()) => Some(options),
        Err(faults) => {
            refusals.extend(faults);
            None
        }
    }
}

/// The variant's value for each option, in the product's order and spelling.
/// Faults of one pair lie at its place in `options`, faults of the whole
/// choice at `options` itself.
pub(super) fn choose(
    place: &str,
    given: &[(String, String)],
    options: &mut [KnownOption],
    combinations: &mut HashSet<Vec<usize>>,
    refusals: &mut Refusals,
) -> Option<Vec<(String, String)>> {
    let mut faults = Refusals::default();
    let mut named = vec![false; options.len()];
    let mut chosen: Vec<usize> = vec![0; options.len()];
    for (pair_place, (name, value)) in given.iter().enumerate() {
        let path = ["variants", place, "options", &pair_place.to_string()];
        let handle = option_handle(name);
        let Some(index) = options.iter().position(|option| Some(&option.handle) == handle.as_ref()) else {
            faults.push(Refusal::new(ErrorCode::Invalid, "The product has no option of this name.").at(path));
            continue;
        };
        let option = &mut options[index];
        if std::mem::replace(&mut named[index], true) {
            faults
                .push(Refusal::new(ErrorCode::Duplicate, "The variant has a value for this option already.").at(path));
        }
        let Some(value) = faults.keep(text::title(value).map_err(|refusal| refusal.at(path))) else { continue };
        let Some(handle) = option_handle(&value) else { continue };
        match option.places.get(&handle) {
            Some(known) => chosen[index] = *known,
            None if option.open => {
                chosen[index] = option.values.len();
                option.places.insert(handle, option.values.len());
                option.values.push(value);
            }
            None => {
                let message = format!("The option {} has no such value.", option.name);
                faults.push(Refusal::new(ErrorCode::Invalid, message).at(path));
            }
        }
    }
    for (option, named) in options.iter().zip(named) {
        if !named {
            let message = format!("The variant has no value for the option {}.", option.name);
            faults.push(Refusal::new(ErrorCode::Required, message).at(["variants", place, "options"]));
        }
    }
    if faults.is_empty() && !combinations.insert(chosen.clone()) {
        let message = if options.is_empty() {
            "A product without options has exactly one variant."
        } else {
            "Another variant has the same combination of values."
        };
        faults.push(Refusal::new(ErrorCode::Duplicate, message).at(["variants", place, "options"]));
    }
    match faults.into_result() {
        Ok(()) => {
            let pair = |(option, value): (&KnownOption, usize)| (option.name.clone(), option.values[value].clone());
            Some(options.iter().zip(chosen).map(pair).collect())
        }
        Err(faults) => {
            refusals.extend(faults);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_handles_without_loss() {
        let made = |name| option_handle(name).map(|handle| handle.to_string());
        assert_eq!(made(" Größe (EU) ").as_deref(), Some("groesse-eu"));
        assert_eq!(made("COLOR"), made("color"));
        assert_eq!(made("日本").as_deref(), Some("x-e697a5e69cac"));
        assert_eq!(made("色 2").as_deref(), Some("2-xe889b2"));
        assert_eq!(made("  "), None);
        let all = ["C", "C#", "C++", "-1", "1", "1/2", "1.2", "Цвет", "!", "x"].map(made);
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
    }

    proptest! {
        #[test]
        fn every_name_has_a_handle(name: String) {
            let handle = option_handle(&name);
            prop_assert_eq!(handle.is_none(), name.trim().is_empty());
            if let Some(handle) = handle {
                prop_assert!(handle.as_str().len() <= MAX_OPTION_HANDLE);
            }
        }
    }
}
