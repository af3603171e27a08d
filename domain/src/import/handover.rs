//! Numbers that products of one file hand to each other: a product may take the
//! number of another when the file gives that one something else instead.

use std::collections::{HashMap, HashSet};

/// A product of a file takes a number that a variant of another product has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Which product of the file takes it.
    pub taker: usize,
    /// Which one gives it up, if one of the file does.
    pub giver: Option<usize>,
}

/// Which of these wants are met, when these products of the file are refused.
/// Who gets nothing is refused and so gives nothing up either.
pub fn met(wants: &[Want], refused: &HashSet<usize>) -> Vec<bool> {
    let mut takers: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut out = refused.clone();
    let mut waiting: Vec<usize> = refused.iter().copied().collect();
    for want in wants {
        match want.giver {
            Some(giver) => takers.entry(giver).or_default().push(want.taker),
            None if out.insert(want.taker) => waiting.push(want.taker),
            None => {}
        }
    }
    while let Some(giver) = waiting.pop() {
        for taker in takers.remove(&giver).unwrap_or_default() {
            if out.insert(taker) {
                waiting.push(taker);
            }
        }
    }
    wants.iter().map(|want| want.giver.is_some_and(|giver| !out.contains(&giver))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wants: &[(usize, Option<usize>)], refused: &[usize]) -> Vec<bool> {
        let wants: Vec<Want> = wants.iter().map(|&(taker, giver)| Want { taker, giver }).collect();
        met(&wants, &refused.iter().copied().collect())
    }

    #[test]
    fn a_number_passes_on_in_a_row_and_in_a_ring() {
        assert_eq!(told(&[(0, Some(1)), (1, Some(2))], &[]), [true, true]);
        assert_eq!(told(&[(0, Some(1)), (1, Some(0))], &[]), [true, true]);
        assert_eq!(told(&[(0, Some(1)), (1, Some(2)), (2, Some(0))], &[7]), [true, true, true]);
    }

    #[test]
    fn who_is_refused_gives_nothing_and_so_on_along_the_row() {
        assert_eq!(told(&[(0, Some(1)), (1, Some(2)), (2, None)], &[]), [false, false, false]);
        assert_eq!(told(&[(0, Some(1)), (1, Some(0))], &[1]), [false, false]);
        // The second takes two numbers and gets one: it gives its own to nobody.
        assert_eq!(told(&[(0, Some(1)), (1, Some(2)), (1, None), (4, Some(3))], &[]), [false, true, false, true]);
    }
}
