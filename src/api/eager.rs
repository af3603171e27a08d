//! The library as the objects of the hot path see it, with
//! `#[graphql(crate = "crate::api::eager")]`: all of it but how an object is
//! worked out.
//!
//! The library begins with a box for each field. Here a field is tried once
//! where it is made, and only one that has to wait keeps its box.

pub use async_graphql::*;

pub mod resolver_utils {
    //! How an object is worked out.

    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::Poll;

    use async_graphql::indexmap::IndexMap;
    use async_graphql::parser::types::Field;
    pub use async_graphql::resolver_utils::*;
    use async_graphql::{ContextSelectionSet, Positioned, ServerError, ServerResult, Value};

    use crate::api::ready::each_field;

    /// Works out an object, all fields beside each other.
    pub async fn resolve_container<'a, T: ContainerType>(
        ctx: &ContextSelectionSet<'a>,
        root: &'a T,
    ) -> ServerResult<Value> {
        let Some(told) = selected::<T>(ctx) else {
            return Box::pin(async_graphql::resolver_utils::resolve_container(ctx, root)).await;
        };
        work_out(ctx, root, told).await
    }

    /// What is selected: nothing yet, and the field; no map when the library has to do it.
    type Told<'a> = Vec<(&'a Positioned<Field>, Value)>;

    fn selected<'a, T: ContainerType>(ctx: &ContextSelectionSet<'a>) -> Option<Told<'a>> {
        let mut told: Told<'a> = Vec::with_capacity(ctx.item.node.items.len());
        each_field::<T>(ctx, &ctx.item.node, &mut |field| {
            let key = field.node.response_key();
            let twice = told.iter().any(|(other, _)| other.node.response_key().node == key.node);
            if twice || !field.node.directives.is_empty() {
                return None;
            }
            told.push((field, Value::Null));
            Some(())
        })?;
        Some(told)
    }

    async fn one<'a, T: ContainerType>(
        ctx: &ContextSelectionSet<'a>,
        root: &'a T,
        field: &'a Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(root.resolve_field(&ctx.with_field(field)).await?.unwrap_or_default())
    }

    async fn work_out<'a, T: ContainerType>(
        ctx: &ContextSelectionSet<'a>,
        root: &'a T,
        mut told: Told<'a>,
    ) -> ServerResult<Value> {
        let mut waiting = Vec::new();
        let mut begun = 0;
        let mut spare = None;
        poll_fn(|cx| {
            while let Some((field, value)) = told.get_mut(begun) {
                if field.node.name.node == "__typename" {
                    *value = Value::String(T::type_name().into_owned());
                } else {
                    let mut work = boxed(&mut spare, || one(ctx, root, field));
                    match work.as_mut().poll(cx) {
                        Poll::Ready(done) => {
                            *value = done?;
                            spare = Some(work);
                        }
                        Poll::Pending => waiting.push((begun, work)),
                    }
                }
                begun += 1;
            }
            Poll::Ready(Ok::<_, ServerError>(()))
        })
        .await?;
        drop(spare);
        poll_fn(|cx| {
            let mut place = 0;
            while let Some((at, work)) = waiting.get_mut(place) {
                match work.as_mut().poll(cx) {
                    Poll::Ready(done) => {
                        told[*at].1 = done?;
                        drop(waiting.remove(place));
                    }
                    Poll::Pending => place += 1,
                }
            }
            if waiting.is_empty() { Poll::Ready(Ok::<_, ServerError>(())) } else { Poll::Pending }
        })
        .await?;
        let keyed = told.into_iter().map(|(field, value)| (field.node.response_key().node.clone(), value));
        Ok(Value::Object(IndexMap::from_iter(keyed)))
    }

    /// A box for a future: that of one that is done, when there is one. The future is made here, so that it lies on
    /// the stack no longer than it takes to put it into its box.
    #[inline(never)]
    fn boxed<F>(spare: &mut Option<Pin<Box<F>>>, future: impl FnOnce() -> F) -> Pin<Box<F>> {
        match spare.take() {
            Some(mut used) => {
                used.set(future());
                used
            }
            None => Box::pin(future()),
        }
    }
}
