//! Messages of subscriptions: each is worked out as by a request of its own,
//! with the settings of its moment, and once for all subscribers who are to be
//! told the same.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, Data, Name, OutputType, Positioned, ServerError, ServerResult, Value, indexmap::IndexMap,
};
use async_graphql_value::RAW_VALUE_TOKEN;
use engine::hub::Question;

use super::call::{Call, call_of};
use super::gather::gathered;
use super::payload::top_level;

/// A message of a subscription.
#[derive(Debug, Clone)]
pub struct Shown<T> {
    message: T,
    question: Option<Question>,
}

impl<T> Shown<T> {
    /// A message that is one subscriber's.
    pub fn alone(message: T) -> Self {
        Self { message, question: None }
    }

    /// A message that everybody is told who asks this question.
    pub fn to_all(message: T, question: Question) -> Self {
        Self { message, question: Some(question) }
    }
}

/// Why an answer is not told to others.
enum Alone {
    /// It came with errors, which are told beside it.
    Value(Value),
    Failed(ServerError),
}

impl<T: OutputType> OutputType for Shown<T> {
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
        let begun = call_of(ctx).map_err(|error| error.into_server_error(field.pos))?;
        let Some(question) = self.question else { return self.work_out(begun, ctx, field).await };
        let to_all = move || async move {
            let value = self.work_out(begun, ctx, field).await.map_err(Alone::Failed)?;
            let clean = ctx.query_env.errors.lock().is_ok_and(|errors| errors.is_empty());
            match serde_json::to_string(&value) {
                Ok(text) if clean => Ok(Arc::from(text)),
                _ => Err(Alone::Value(value)),
            }
        };
        match begun.app.hub.answer(question, to_all).await {
            Ok(text) => Ok(written(&text)),
            Err(Alone::Value(value)) => Ok(value),
            Err(Alone::Failed(error)) => Err(error),
        }
    }
}

impl<T: OutputType> Shown<T> {
    /// Resolves the message by a call that begins now.
    async fn work_out(
        &self,
        begun: &Call,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let again = begun.again().map_err(|error| top_level(error).into_server_error(field.pos))?;
        let mut data = Data::default();
        data.insert(again);
        let mut ctx: ContextSelectionSet<'_> = ctx.clone();
        ctx.execute_data = Some(&data);
        gathered(self.message.resolve(&ctx, field)).await
    }
}

/// A value that is JSON already.
fn written(text: &str) -> Value {
    Value::Object(IndexMap::from_iter([(Name::new(RAW_VALUE_TOKEN), Value::String(text.to_owned()))]))
}
