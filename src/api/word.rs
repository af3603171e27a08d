//! Closed sets of words as GraphQL enums: published straight from the domain's
//! list, so that no word and no meaning is written twice.

use std::borrow::Cow;
use std::ops::Deref;

use async_graphql::parser::types::Field;
use async_graphql::registry::{Deprecation, MetaEnumValue, MetaType, MetaTypeId, Registry};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType, Positioned, ServerResult,
    Value,
};
use domain::word::Word;

/// A word of the domain as a value of a GraphQL enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Enum<W>(pub W);

impl<W> Deref for Enum<W> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.0
    }
}

fn meta<W: Word>() -> MetaType {
    let value = |word: &W| {
        let mut value = MetaEnumValue::new(word.as_str());
        value.description = Some(unwrap_lines(word.describe()));
        value.deprecation = Deprecation::NoDeprecated;
        (word.as_str().to_owned(), value)
    };
    MetaType::Enum {
        name: W::NAME.to_owned(),
        description: Some(unwrap_lines(W::ABOUT)),
        enum_values: W::ALL.iter().map(value).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: Some(std::any::type_name::<Enum<W>>()),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// Doc comments break lines for the editor, not for the reader.
fn unwrap_lines(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

impl<W: Word> InputType for Enum<W> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        W::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| meta::<W>())
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let text = match &value {
            Some(Value::Enum(name)) => name.as_str(),
            Some(Value::String(text)) => text.as_str(),
            _ => return Err(InputValueError::expected_type(value.unwrap_or_default())),
        };
        let known = W::ALL.iter().find(|word| word.as_str() == text);
        known
            .map(|word| Self(*word))
            .ok_or_else(|| InputValueError::custom(format!("{} has no value {text:?}", W::NAME)))
    }

    fn to_value(&self) -> Value {
        Value::Enum(Name::new(self.0.as_str()))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<W: Word> OutputType for Enum<W> {
    fn type_name() -> Cow<'static, str> {
        W::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Enum, |_| meta::<W>())
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Enum(Name::new(self.0.as_str())))
    }
}
