//! Changing what somebody else may be changing.

use domain::refusal::{ErrorCode, Refusal};

/// A nullable value in a partial update: left out is not null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes empty.
    Clear,
    /// It becomes this.
    To(T),
}

impl<T> Change<T> {
    /// Writes the change into a place.
    pub fn apply(self, place: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *place = None,
            Self::To(value) => *place = Some(value),
        }
    }

    /// The same change of another type.
    pub fn try_map<U, E>(self, map: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::To(value) => Change::To(map(value)?),
        })
    }
}

/// Refuses to overwrite what changed since the caller read it.
pub fn check_version(expected: Option<i32>, current: i32) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != current => {
            let mut refusal = Refusal::new(
                ErrorCode::Conflict,
                "Somebody changed this since you read it; read it again and repeat your change.",
            )
            .at(["expectedVersion"]);
            refusal.current_version = Some(current);
            Err(refusal)
        }
        _ => Ok(()),
    }
}
