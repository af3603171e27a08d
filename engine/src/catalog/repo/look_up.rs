//! Looking up what filters name before products are asked: collections and texts.

use domain::id::{ChannelId, CollectionId};
use domain::search::Query;

use super::listing::View;
use crate::catalog::listing::{Filter, Named};
use crate::db::Conn;
use crate::error::Result;
use crate::search;

/// The filter with its collections and texts looked up: one statement for each
/// that it has.
pub async fn look_up(conn: &Conn, view: &View, filter: Option<&Filter>) -> Result<Option<Filter>> {
    let mut filter = filter.cloned();
    look_up_all(conn, vec![(view, &mut filter)]).await?;
    Ok(filter)
}

/// The same for the filters of several lists, with no more statements.
pub async fn look_up_all(conn: &Conn, lists: Vec<(&View, &mut Option<Filter>)>) -> Result<()> {
    // A request has one channel, and staff who ask for all besides.
    let mut channels: Vec<(Option<ChannelId>, Vec<_>)> = Vec::new();
    for (view, filter) in lists {
        let Some(filter) = filter else { continue };
        match channels.iter_mut().find(|(channel, _)| *channel == view.channel) {
            Some((_, own)) => own.push((view, filter)),
            None => channels.push((view.channel, vec![(view, filter)])),
        }
    }
    for (_, mut own) in channels {
        let Some((view, _)) = own.first() else { continue };
        let view = *view;
        let mut filters: Vec<&mut Filter> = own.iter_mut().map(|(_, filter)| &mut **filter).collect();
        look_up_collections(conn, view, &mut filters).await?;
        look_up_texts(conn, view, &mut filters).await?;
    }
    Ok(())
}

/// Puts what collections hold in the place of their names. What is not to be
/// seen holds nothing.
async fn look_up_collections(conn: &Conn, view: &View, filters: &mut [&mut Filter]) -> Result<()> {
    let named: Vec<_> = filters.iter().flat_map(|filter| filter.collections()).cloned().collect();
    if named.is_empty() {
        return Ok(());
    }
    let now = view.now;
    let found = crate::collection::repo::named(conn, &named, view.channel.map(|channel| (channel, now))).await?;
    let members = |named: &Named<CollectionId>| {
        let row = found.iter().find(|row| match named {
            Named::Id(id) => row.id == *id,
            Named::Handle(handle) => row.handle.as_str() == handle,
        });
        let held = row.map(|row| crate::collection::members(row, now));
        held.map_or(Filter::Any(Vec::new()), |held| Filter::Members(Box::new(held)))
    };
    for filter in filters {
        **filter = filter.clone().with_collections(&members);
    }
    Ok(())
}

/// Puts what texts were found to mean in their place.
async fn look_up_texts(conn: &Conn, view: &View, filters: &mut [&mut Filter]) -> Result<()> {
    let texts = filters.iter().flat_map(|filter| filter.texts());
    let queries: Vec<Query> = texts.map(Query::read).collect::<Result<_, _>>()?;
    if queries.is_empty() {
        return Ok(());
    }
    let found = search::repo::resolve(conn, view, &queries).await?;
    let mut found = queries.iter().zip(found).map(|(query, matching)| match query.blank {
        true => Filter::All(Vec::new()),
        false => Filter::Matches(matching),
    });
    for filter in filters {
        **filter = filter.with_matches(&mut found);
    }
    Ok(())
}
