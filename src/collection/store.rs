//! Collections on the store surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, Object, OneofObject};
use domain::id::CollectionId;
use domain::refusal::Refusal;

use super::types::{Collection, CollectionConnection};
use crate::api::call::call;
use crate::api::page::{Page, PageArgs, STORE_MAX, SortDirection, one_sort};
use crate::api::payload::top_level;
use crate::api::scalar::parse_id;
use engine::catalog::listing::Named;
use engine::collection::repo::{SortKey, Wanted, find, page};

/// Which collection you mean: exactly one of these.
#[derive(Debug, Clone, OneofObject)]
pub enum CollectionBy {
    /// By id.
    Id(ID),
    /// By its part of the web address.
    Handle(String),
}

impl CollectionBy {
    /// For the repo; `path` leads to the id.
    pub fn named(&self, path: &[&str]) -> Result<Named<CollectionId>, Refusal> {
        Ok(match self {
            Self::Id(id) => Named::Id(parse_id(id, path)?),
            Self::Handle(handle) => Named::Handle(handle.clone()),
        })
    }
}

/// What a list of collections is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum CollectionSortField {
    /// The title, whatever its capitals.
    Title,
    /// When it was made.
    Newest,
}

/// How a list of collections is sorted.
#[derive(Debug, Clone, InputObject)]
pub struct CollectionSort {
    /// By what.
    pub field: CollectionSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

impl CollectionSort {
    /// The one sort that is asked for, by title when none is: its key, and whether downwards.
    pub fn one(sort: Option<Vec<Self>>) -> Result<(SortKey, bool), Refusal> {
        let by_title = Self { field: CollectionSortField::Title, direction: SortDirection::Asc };
        let sort = one_sort(sort, by_title)?;
        let key = match sort.field {
            CollectionSortField::Title => SortKey::Title,
            CollectionSortField::Newest => SortKey::Newest,
        };
        Ok((key, sort.direction == SortDirection::Desc))
    }
}

/// Queries about collections.
#[derive(Debug, Default)]
pub struct CollectionStoreQuery;

#[Object]
impl CollectionStoreQuery {
    /// The collections of this request's channel.
    async fn collections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "How they are sorted, by one field; by title when absent.")] sort: Option<Vec<CollectionSort>>,
    ) -> async_graphql::Result<CollectionConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let (key, descending) = CollectionSort::one(sort)?;
            let args = PageArgs { first, after, last, before, offset: None };
            let asked = Page::read(args, STORE_MAX, descending, &("collections", key, descending, call.channel.id))?;
            let seen_in = Some((call.channel.id, call.app.clock.now()));
            page(&call.conn(), seen_in, &Wanted::default(), key, asked, count).await
        };
        outcome.await.map(CollectionConnection::from).map_err(top_level)
    }

    /// One collection of this request's channel; null when there is none to be seen.
    async fn collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which collection.")] by: CollectionBy,
    ) -> async_graphql::Result<Option<Collection>> {
        let call = call(ctx)?;
        let Ok(named) = by.named(&[]) else { return Ok(None) };
        let seen_in = Some((call.channel.id, call.app.clock.now()));
        let found = find(&call.conn(), &named, seen_in).await.map_err(top_level)?;
        Ok(found.map(Collection::from))
    }
}
