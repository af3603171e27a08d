//! What a parsed document unfolds to: each fragment is weighed once, and what
//! it weighs is added wherever it is spread.

use super::{Breach, Limits, Measure, within};

/// A document, as far as its weight depends on it.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Its fragments by number: the name and what it selects.
    pub fragments: Vec<(String, Vec<Node>)>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// Which of the operations runs.
    pub chosen: usize,
}

/// One operation.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// Directives of the operation itself and of its variables.
    pub directives: u64,
    /// What it selects.
    pub nodes: Vec<Node>,
}

/// One selection. How deep they nest is bounded by whoever makes them: a
/// document that was [scanned](super::scan) nests at most [`super::NESTING`].
#[derive(Debug, Clone)]
pub enum Node {
    /// A field.
    Field(Field),
    /// A fragment in place: its directives and what it selects.
    Inline(u64, Vec<Node>),
    /// A fragment by its number, with the directives of the spread; a number
    /// that no fragment has weighs nothing.
    Spread(u64, usize),
}

/// One field.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// What it costs itself.
    pub own: u64,
    /// How often what it selects is answered.
    pub times: u64,
    /// Whether it is answered under another name.
    pub aliased: bool,
    /// Directives.
    pub directives: u64,
    /// Whether what it selects counts as roots.
    pub namespace: bool,
    /// Whether it checks a password, a code or a mailed token.
    pub authenticates: bool,
    /// What it selects.
    pub nodes: Vec<Node>,
}

/// What something weighs, fragments put in. Every figure stops at the largest
/// number there is instead of beginning anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Fields, and fragments where they stand.
    pub selections: u64,
    /// Fields within fields.
    pub depth: u64,
    /// Selections within selections.
    pub levels: u64,
    /// Aliases.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
    /// Fields at the root.
    pub roots: u64,
    /// Fields that check a secret.
    pub authentications: u64,
    /// The cost.
    pub cost: u64,
}

impl Weight {
    /// Both beside each other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            depth: self.depth.max(other.depth),
            levels: self.levels.max(other.levels),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            roots: self.roots.saturating_add(other.roots),
            authentications: self.authentications.saturating_add(other.authentications),
            cost: self.cost.saturating_add(other.cost),
        }
    }

    fn within_fragment(self, directives: u64) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            levels: self.levels.saturating_add(1),
            directives: self.directives.saturating_add(directives),
            ..self
        }
    }

    fn within_field(self, field: &Field) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            depth: self.depth.saturating_add(1),
            levels: self.levels.saturating_add(1),
            aliases: self.aliases.saturating_add(field.aliased.into()),
            directives: self.directives.saturating_add(field.directives),
            roots: if field.namespace { self.roots } else { 1 },
            authentications: self.authentications.saturating_add(field.authenticates.into()),
            cost: self.cost.saturating_mul(field.times).saturating_add(field.own),
        }
    }
}

/// What was found out about a document that keeps to the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// What the operation weighs that runs.
    pub weight: Weight,
    /// How many selections were looked at: the work that was done.
    pub steps: u64,
}

/// Weighs a document.
///
/// # Errors
/// The first limit that it passes, or the fragment that spreads itself.
pub fn weigh(document: &Document, limits: &Limits) -> Result<Judged, Breach> {
    let mut scales = Scales { document, fragments: vec![None; document.fragments.len()], steps: 0 };
    for fragment in scales.in_order()? {
        let (_, nodes) = &document.fragments[fragment];
        scales.fragments[fragment] = Some(scales.set(nodes));
    }
    let (mut all, mut chosen) = (Weight::default(), Weight::default());
    for (place, operation) in document.operations.iter().enumerate() {
        let weight = scales.set(&operation.nodes);
        let weight = Weight { directives: weight.directives.saturating_add(operation.directives), ..weight };
        all = all.and(weight);
        if place == document.chosen {
            chosen = weight;
        }
    }
    // What a library walks is every operation; what runs is one.
    for (measure, found, limit) in [
        (Measure::Selections, all.selections, limits.selections),
        (Measure::Depth, all.depth, limits.depth),
        (Measure::Levels, all.levels, limits.depth.saturating_mul(2)),
        (Measure::Aliases, all.aliases, limits.aliases),
        (Measure::Directives, all.directives, limits.directives),
        (Measure::RootFields, chosen.roots, limits.root_fields),
        (Measure::Authentications, chosen.authentications, 1),
        (Measure::Cost, chosen.cost, limits.cost),
    ] {
        within(measure, found, limit)?;
    }
    Ok(Judged { weight: chosen, steps: scales.steps })
}

struct Scales<'a> {
    document: &'a Document,
    /// What each fragment weighs, once it is known.
    fragments: Vec<Option<Weight>>,
    steps: u64,
}

impl Scales<'_> {
    /// What selections weigh whose fragments are weighed.
    fn set(&mut self, nodes: &[Node]) -> Weight {
        let mut sum = Weight::default();
        for node in nodes {
            self.steps += 1;
            let weight = match node {
                Node::Field(field) => self.set(&field.nodes).within_field(field),
                Node::Inline(directives, nodes) => self.set(nodes).within_fragment(*directives),
                Node::Spread(directives, fragment) => {
                    let known = self.fragments.get(*fragment).copied().flatten();
                    known.unwrap_or_default().within_fragment(*directives)
                }
            };
            sum = sum.and(weight);
        }
        sum
    }

    /// The fragments, each behind those that it spreads. Without recursion: a
    /// chain may be as long as the document.
    fn in_order(&mut self) -> Result<Vec<usize>, Breach> {
        let document = self.document;
        let spreads: Vec<Vec<usize>> = document.fragments.iter().map(|(_, nodes)| self.spread_in(nodes)).collect();
        let mut order = Vec::with_capacity(spreads.len());
        let mut seen = vec![Seen::Not; spreads.len()];
        for first in 0..spreads.len() {
            // Where in its spreads each fragment on the way stands.
            let mut way = vec![(first, 0)];
            while let Some((fragment, next)) = way.pop() {
                self.steps += 1;
                if next == 0 {
                    match seen[fragment] {
                        Seen::Done => continue,
                        Seen::OnTheWay => return Err(Breach::Cycle(self.document.fragments[fragment].0.clone())),
                        Seen::Not => seen[fragment] = Seen::OnTheWay,
                    }
                }
                match spreads[fragment].get(next) {
                    Some(spread) => way.extend([(fragment, next + 1), (*spread, 0)]),
                    None => {
                        seen[fragment] = Seen::Done;
                        order.push(fragment);
                    }
                }
            }
        }
        Ok(order)
    }

    /// The fragments that selections spread.
    fn spread_in(&mut self, nodes: &[Node]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut waiting = vec![nodes];
        while let Some(nodes) = waiting.pop() {
            for node in nodes {
                self.steps += 1;
                match node {
                    Node::Field(field) => waiting.push(&field.nodes),
                    Node::Inline(_, nodes) => waiting.push(nodes),
                    Node::Spread(_, fragment) if *fragment < self.document.fragments.len() => found.push(*fragment),
                    Node::Spread(..) => {}
                }
            }
        }
        found
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    OnTheWay,
    Done,
}
