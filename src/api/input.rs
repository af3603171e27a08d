//! What inputs say beyond their values.

use async_graphql::{ID, MaybeUndefined};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use engine::version::Change;

use super::scalar::parse_id;

/// What a nullable field of a partial update asks for: left out, it keeps what is there.
pub fn change<T>(value: MaybeUndefined<T>) -> Change<T> {
    match value {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::To(value),
    }
}

/// The ids in a field of the input, or why they are none; refuses more than `most`.
pub fn parse_ids<T>(ids: &[ID], field: &str, most: usize) -> Result<Vec<T>, Vec<Refusal>>
where
    T: std::str::FromStr,
{
    let mut refusals = Refusals::default();
    if ids.len() > most {
        let refusal = Refusal::new(ErrorCode::TooMany, format!("At most {most} at once."));
        return Err(vec![refusal.limit(most as i64).at([field])]);
    }
    let read = |(place, id): (usize, &ID)| refusals.keep(parse_id(id, &[field, &place.to_string()]));
    let read: Vec<T> = ids.iter().enumerate().filter_map(read).collect();
    refusals.into_result().map(|()| read)
}
