//! Values that are there already, written without waiting.
//!
//! The library makes a future of every field and puts each in a box. Where all
//! that an object tells lies in memory, its [`AtOnce`] writes the answer by
//! walking the selection itself. What it can't do by itself, such as the same
//! field twice, the library does for it: the answer is the same.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, ID, Name, OutputType, Positioned, ScalarType, ServerResult, Value};
use chrono::{DateTime, Utc};
use std::borrow::Cow;

use super::scalar::{Country, CurrencyCode, Decimal, Int64, Json};
use super::word::Enum;
use domain::word::Word;

/// What can be told without waiting for anything.
pub trait AtOnce: OutputType {
    /// What is selected of it; nothing when the library has to do it.
    fn at_once<'a>(&self, ctx: &ContextSelectionSet<'a>, set: &'a SelectionSet) -> Option<Value>;
}

/// A field's value that is told at once.
#[derive(Debug, Clone)]
pub struct Ready<T>(pub T);

impl<T: AtOnce> OutputType for Ready<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match self.0.at_once(ctx, &ctx.item.node) {
            Some(value) => Ok(value),
            // In a box, so that the field's own future stays small.
            None => Box::pin(self.0.resolve(ctx, field)).await,
        }
    }
}

/// Takes each field that is selected of an object of this type, in order;
/// nothing when one is not taken.
pub fn each_field<'a, T: OutputType>(
    ctx: &ContextSelectionSet<'a>,
    set: &'a SelectionSet,
    take: &mut dyn FnMut(&'a Positioned<Field>) -> Option<()>,
) -> Option<()> {
    for selection in &set.items {
        let (on, below) = match &selection.node {
            Selection::Field(field) => {
                take(field)?;
                continue;
            }
            Selection::FragmentSpread(spread) => {
                let fragment = &ctx.query_env.fragments.get(&spread.node.fragment_name.node)?.node;
                (Some(&fragment.type_condition), &fragment.selection_set)
            }
            Selection::InlineFragment(inline) => (inline.node.type_condition.as_ref(), &inline.node.selection_set),
        };
        if on.is_none_or(|on| is::<T>(ctx, &on.node.on.node)) {
            each_field::<T>(ctx, &below.node, take)?;
        }
    }
    Some(())
}

/// Whether an object of this type is what a fragment is on.
fn is<T: OutputType>(ctx: &ContextSelectionSet<'_>, on: &str) -> bool {
    let name = T::type_name();
    let interfaces = || ctx.schema_env.registry.implements.get(&*name);
    name == on || interfaces().is_some_and(|interfaces| interfaces.contains(on))
}

/// An object whose fields are told one by one.
pub fn object<'a, T: OutputType>(
    ctx: &ContextSelectionSet<'a>,
    set: &'a SelectionSet,
    tell: &dyn Fn(&str, &'a SelectionSet) -> Option<Value>,
) -> Option<Value> {
    let mut told = IndexMap::with_capacity(set.items.len());
    each_field::<T>(ctx, set, &mut |field| {
        let field = &field.node;
        if !field.arguments.is_empty() || !field.directives.is_empty() {
            return None;
        }
        let value = match field.name.node.as_str() {
            "__typename" => Value::String(T::type_name().into_owned()),
            name => tell(name, &field.selection_set.node)?,
        };
        told.insert(field.response_key().node.clone(), value).is_none().then_some(())
    })?;
    Some(Value::Object(told))
}

/// Whether a field of Rust, such as `amount_minor`, is one of GraphQL, such as `amountMinor`.
pub fn named(rust: &str, graphql: &str) -> bool {
    let mut upper = false;
    let mut letters = graphql.bytes();
    for letter in rust.bytes() {
        if letter == b'_' {
            upper = true;
            continue;
        }
        let expected = if std::mem::take(&mut upper) { letter.to_ascii_uppercase() } else { letter };
        if letters.next() != Some(expected) {
            return false;
        }
    }
    letters.next().is_none()
}

/// Declares the fields of an object that are told at once: those of a struct
/// by their names, others by what they are told as.
macro_rules! at_once {
    ($object:ty { $($field:ident),* $(,)? }) => {
        $crate::api::ready::at_once!($object, |object| { $($field: object.$field),* });
    };
    ($object:ty, |$it:ident| { $($field:ident: $value:expr),* $(,)? }) => {
        impl $crate::api::ready::AtOnce for $object {
            fn at_once<'a>(
                &self,
                ctx: &async_graphql::ContextSelectionSet<'a>,
                set: &'a async_graphql::parser::types::SelectionSet,
            ) -> Option<async_graphql::Value> {
                let $it = self;
                $crate::api::ready::object::<Self>(ctx, set, &|name, below| {
                    $(if $crate::api::ready::named(stringify!($field), name) {
                        return $crate::api::ready::AtOnce::at_once(&$value, ctx, below);
                    })*
                    None
                })
            }
        }
    };
}

pub(crate) use at_once;

macro_rules! scalars {
    ($($scalar:ty),*) => {
        $(impl AtOnce for $scalar {
            fn at_once<'a>(&self, _: &ContextSelectionSet<'a>, _: &'a SelectionSet) -> Option<Value> {
                Some(ScalarType::to_value(self))
            }
        })*
    };
}

scalars!(bool, i32, String, ID, DateTime<Utc>, Country, CurrencyCode, Decimal, Int64, Json);

impl AtOnce for &str {
    fn at_once<'a>(&self, _: &ContextSelectionSet<'a>, _: &'a SelectionSet) -> Option<Value> {
        Some(Value::String((*self).to_owned()))
    }
}

impl<W: Word> AtOnce for Enum<W> {
    fn at_once<'a>(&self, _: &ContextSelectionSet<'a>, _: &'a SelectionSet) -> Option<Value> {
        Some(Value::Enum(Name::new(self.0.as_str())))
    }
}

impl<T: AtOnce> AtOnce for Option<T> {
    fn at_once<'a>(&self, ctx: &ContextSelectionSet<'a>, set: &'a SelectionSet) -> Option<Value> {
        self.as_ref().map_or(Some(Value::Null), |value| value.at_once(ctx, set))
    }
}

impl<T: AtOnce> AtOnce for Vec<T> {
    fn at_once<'a>(&self, ctx: &ContextSelectionSet<'a>, set: &'a SelectionSet) -> Option<Value> {
        self.iter().map(|value| value.at_once(ctx, set)).collect::<Option<_>>().map(Value::List)
    }
}
