//! What inputs say beyond their values.

use async_graphql::MaybeUndefined;
use engine::version::Change;

/// What a nullable field of a partial update asks for: left out, it keeps what is there.
pub fn change<T>(value: MaybeUndefined<T>) -> Change<T> {
    match value {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::To(value),
    }
}
