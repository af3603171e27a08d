//! Subscriptions, one message after the other.

use async_graphql::Result;
use engine::error;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::unfold;

use super::payload::top_level;

/// What `next` answers, again and again, until it answers with nothing. An error is the last message.
pub fn until_it_ends<F, M, N>(follower: F, next: N) -> impl Stream<Item = Result<M>>
where
    F: Send,
    M: Send,
    N: for<'f> Fn(&'f mut F) -> BoxFuture<'f, error::Result<Option<M>>> + Send,
{
    unfold(Some((follower, next)), |state| async move {
        let (mut follower, next) = state?;
        match next(&mut follower).await {
            Ok(message) => Some((Ok(message?), Some((follower, next)))),
            Err(error) => Some((Err(top_level(error)), None)),
        }
    })
}
