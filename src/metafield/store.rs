//! How lists are asked for by metafields.

use async_graphql::InputObject;
use domain::metafield::MetafieldOwnerType;
use domain::refusal::{ErrorCode, Refusal};

use crate::api::call::Call;
use engine::metafield::condition::{Comparison, Condition, filterable};

/// The most metafields that one filter asks about.
const MAX_ASKED: usize = 20;

/// What a metafield must be. Values stand in the text form of its type; of a
/// list, one entry must be so. What you name must hold all at once.
#[derive(Debug, Clone, InputObject)]
pub struct MetafieldFilter {
    /// The group of the key.
    pub namespace: String,
    /// The key.
    pub key: String,
    /// It is this.
    pub eq: Option<String>,
    /// It is one of these, at most 250.
    #[graphql(name = "in")]
    pub any: Option<Vec<String>>,
    /// It is greater than this.
    pub gt: Option<String>,
    /// It is this or greater.
    pub gte: Option<String>,
    /// It is less than this.
    pub lt: Option<String>,
    /// It is this or less.
    pub lte: Option<String>,
    /// It holds something; or with `false`, it holds nothing.
    pub exists: Option<bool>,
}

impl MetafieldFilter {
    /// For the repo.
    fn conditions(&self, call: &Call, owner: MetafieldOwnerType, staff: bool) -> Result<Vec<Condition>, Refusal> {
        let row = filterable(&call.settings, owner, staff, &self.namespace, &self.key)?;
        let named = |name: &'static str| move |refusal: Refusal| refusal.at([name]);
        let mut conditions = Vec::new();
        if let Some(value) = &self.eq {
            conditions.push(Condition::any(row, std::slice::from_ref(value)).map_err(named("eq"))?);
        }
        if let Some(values) = &self.any {
            if values.len() > engine::catalog::listing::MAX_FILTER_VALUES {
                let limit = engine::catalog::listing::MAX_FILTER_VALUES;
                let refusal = Refusal::new(ErrorCode::TooMany, format!("A filter has at most {limit} values."));
                return Err(refusal.limit(limit as i64).at(["in"]));
            }
            conditions.push(Condition::any(row, values).map_err(named("in"))?);
        }
        let compared = [
            ("gt", Comparison::Gt, &self.gt),
            ("gte", Comparison::Gte, &self.gte),
            ("lt", Comparison::Lt, &self.lt),
            ("lte", Comparison::Lte, &self.lte),
        ];
        for (name, comparison, value) in compared {
            if let Some(value) = value {
                conditions.push(Condition::compare(row, comparison, value).map_err(named(name))?);
            }
        }
        if let Some(exists) = self.exists {
            conditions.push(Condition::exists(row, exists));
        }
        Ok(conditions)
    }

    /// What a list of these asks for; faults are named below `filter.metafields`.
    pub fn read_all(
        filters: &[Self],
        call: &Call,
        owner: MetafieldOwnerType,
        staff: bool,
    ) -> Result<Vec<Condition>, Refusal> {
        if filters.len() > MAX_ASKED {
            let message = format!("A filter asks about at most {MAX_ASKED} metafields.");
            let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_ASKED as i64);
            return Err(refusal.at(["filter", "metafields"]));
        }
        let mut conditions = Vec::new();
        for (place, filter) in filters.iter().enumerate() {
            let found = filter.conditions(call, owner, staff).map_err(|refusal| {
                let path = refusal.path.clone();
                let head = ["filter".to_owned(), "metafields".to_owned(), place.to_string()];
                refusal.at(head.into_iter().chain(path))
            })?;
            conditions.extend(found);
        }
        Ok(conditions)
    }
}
