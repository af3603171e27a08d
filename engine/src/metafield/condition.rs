//! What a metafield must be for its owner to be in a list.

use domain::id::MetafieldDefinitionId;
use domain::metafield::{Key, MetafieldOwnerType, Value};
use domain::refusal::{ErrorCode, Refusal};
use entity::metafield_definition;

use crate::settings::Settings;

/// How a value compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Greater.
    Gt,
    /// Greater or the same.
    Gte,
    /// Less.
    Lt,
    /// Less or the same.
    Lte,
}

impl Comparison {
    /// The sign in SQL.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
        }
    }
}

/// What is asked of a metafield.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is there, or it is not.
    Exists(bool),
    /// It is one of these, or a list that holds one of them.
    Any(Vec<Key>),
    /// It compares so to this, or a list holds an entry that does.
    Compare(Comparison, Key),
}

/// What a metafield must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which metafield.
    pub definition: MetafieldDefinitionId,
    /// What is asked of it.
    pub asked: Asked,
}

/// The definition by which owners may be looked up. What is not defined, not
/// filterable or not for shoppers gets one answer.
pub fn filterable<'s>(
    settings: &'s Settings,
    owner: MetafieldOwnerType,
    staff: bool,
    namespace: &str,
    key: &str,
) -> Result<&'s metafield_definition::Model, Refusal> {
    let mut known = settings.metafields_of(owner, staff).filter(|row| staff || row.filterable);
    known.find(|row| row.namespace == namespace && row.key == key).ok_or_else(|| {
        Refusal::new(ErrorCode::Invalid, format!("This list can't be filtered by the metafield {namespace}.{key}."))
            .at(["key"])
    })
}

fn key(row: &metafield_definition::Model, text: &str) -> Result<Key, Refusal> {
    let unfit = || Refusal::new(ErrorCode::Invalid, format!("Values of type {} can't be looked up.", row.kind));
    let value = Value::parse(row.kind.element(), text)?;
    value.keys().into_iter().next().ok_or_else(unfit)
}

impl Condition {
    /// It is one of these.
    pub fn any(row: &metafield_definition::Model, values: &[String]) -> Result<Self, Refusal> {
        let keys = values.iter().map(|text| key(row, text)).collect::<Result<_, _>>()?;
        Ok(Self { definition: row.id, asked: Asked::Any(keys) })
    }

    /// It compares so.
    pub fn compare(row: &metafield_definition::Model, comparison: Comparison, text: &str) -> Result<Self, Refusal> {
        if !row.kind.is_ordered() {
            let message = format!("Values of type {} have no order: use eq, in or exists.", row.kind);
            return Err(Refusal::new(ErrorCode::Invalid, message));
        }
        Ok(Self { definition: row.id, asked: Asked::Compare(comparison, key(row, text)?) })
    }

    /// It is there, or it is not.
    pub fn exists(row: &metafield_definition::Model, exists: bool) -> Self {
        Self { definition: row.id, asked: Asked::Exists(exists) }
    }
}
