//! Searching on the store surface.

use async_graphql::{Context, Lookahead, Object};
use domain::refusal::{ErrorCode, Refusal};
use domain::search::{Query, completions};
use domain::translation::TranslatableField;
use futures_util::future::try_join_all;

use super::types::{Counted, Search, SearchSuggestions};
use crate::api::call::call;
use crate::api::page::{Page, PageArgs, STORE_MAX, SortDirection, one_sort};
use crate::api::payload::top_level;
use crate::catalog::store::{ProductFilter, ProductSort, view};
use crate::catalog::types::{Product, ProductConnection};
use crate::translation::load::{TextAt, feed};
use engine::catalog::listing::{Filter, SortKey, check};
use engine::catalog::repo::listing::{View, page, ranked_page};
use engine::catalog::repo::look_up::look_up;
use engine::db::Conn;
use engine::error::Result;
use engine::search::Matching;
use engine::search::facet::{Parts, Wanted};
use engine::search::repo::facet;

/// Suggested products when no number is asked for.
const SUGGESTED: i32 = 5;
/// The most suggested products, and the most suggested queries.
const MAX_SUGGESTED: i32 = 10;
/// Products whose titles complete what is being typed.
const READ: i32 = 50;

/// Queries that search.
#[derive(Debug, Default)]
pub struct SearchStoreQuery;

#[Object]
impl SearchStoreQuery {
    /// The products of this request's channel that have every word of the query, the last one perhaps as the front
    /// of a longer one; capitals and accents don't matter, and slips are forgiven where a word is on no product.
    /// Titles, vendors, types, tags, option values, SKUs, barcodes, handles and descriptions are searched, in the
    /// language of the request where they are translated into it, else as they are.
    #[allow(clippy::too_many_arguments)]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The words, at most 10 in 200 characters; signs have no meaning. Empty, it finds everything."
        )]
        query: String,
        #[graphql(desc = "What the products must be besides.")] filter: Option<ProductFilter>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "How the hits are sorted, by one field. When absent: words in the title first, then in vendor, type, tags, \
                    options and handle, then in the description; whole words before fronts of words; of equals \
                    the newest first."
        )]
        sort: Option<Vec<ProductSort>>,
    ) -> async_graphql::Result<Search> {
        let call = call(ctx)?;
        let look_ahead = ctx.look_ahead();
        let count = look_ahead.field("totalCount").exists();
        let wanted = wanted(&look_ahead.field("facets"));
        let labels = labels(&look_ahead.field("facets"));
        let nodes = [look_ahead.field("nodes"), look_ahead.field("edges").field("node")];
        let descriptions = nodes.iter().any(|node| node.field("descriptionHtml").exists());
        let outcome = async {
            read(&query)?;
            let filter = filter.map(|filter| filter.read(call)).transpose()?;
            let sort = one_sort(sort.map(|sort| sort.into_iter().map(Some).collect()), None)?;
            let conn = call.conn();
            let view = view(call, false);
            let parts = [Filter::Text(query.clone())].into_iter().chain(filter.clone()).collect();
            let asked = Filter::All(parts);
            check(&asked, 0)?;
            let descending = sort.as_ref().is_none_or(|sort| sort.direction == SortDirection::Desc);
            let key = sort.as_ref().map(|sort| sort.field.key());
            let list = ("search", key, descending, &asked, view.price_channel, view.region, &view.languages);
            let args = PageArgs { first, after, last, before, offset: None };
            let asked_page = Page::read(args, STORE_MAX, descending, &list)?;
            let (found, matching) = find(&conn, &view, &asked).await?;
            let rows = match (key, &matching) {
                (None, Some(matching)) => ranked_page(&conn, &view, matching, &found, asked_page, count).await?,
                _ => {
                    let key = key.unwrap_or(SortKey::Newest);
                    page(&conn, &view, Some(&found), key, asked_page, count).await?
                }
            };
            let shown: Vec<_> = rows.rows.iter().map(|(row, _)| row.id).collect();
            feed(call, &shown, descriptions).await?;
            let facets = facet::count(&conn, &view, Some(&found), wanted).await?;
            let counted = Counted::read(call, facets, Parts::of(Some(&found)), wanted, labels).await?;
            Ok((ProductConnection::from(rows), matching.and_then(|matching| matching.corrected), counted))
        };
        let (hits, corrected_query, counted) = outcome.await.map_err(top_level)?;
        let ProductConnection { edges, nodes, page_info, total_count } = hits;
        Ok(Search { edges, nodes, page_info, total_count, corrected_query, facets: counted.shown(call) })
    }

    /// What somebody who is still typing may mean: queries that complete the last word, and products. Nothing is
    /// suggested for an empty query.
    async fn search_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was typed so far, at most 10 words in 200 characters.")] query: String,
        #[graphql(desc = "So many products: 5 when absent, at most 10.")] first: Option<i32>,
    ) -> async_graphql::Result<SearchSuggestions> {
        let call = call(ctx)?;
        let descriptions = ctx.look_ahead().field("products").field("descriptionHtml").exists();
        let outcome = async {
            read(&query)?;
            let shown = first.unwrap_or(SUGGESTED);
            if !(0..=MAX_SUGGESTED).contains(&shown) {
                let message = format!("first is between 0 and {MAX_SUGGESTED}.");
                return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_SUGGESTED.into()).at(["first"]).into());
            }
            let conn = call.conn();
            let view = view(call, false);
            let (found, matching) = find(&conn, &view, &Filter::All(vec![Filter::Text(query.clone())])).await?;
            let Some(matching) = matching else { return Ok((Vec::new(), Vec::new())) };
            let args = PageArgs { first: Some(READ), ..PageArgs::default() };
            let asked = Page::read(args, STORE_MAX, true, &"suggestions")?;
            let rows = ranked_page(&conn, &view, &matching, &found, asked, false).await?.rows;
            feed(call, &rows.iter().map(|(row, _)| row.id).collect::<Vec<_>>(), descriptions).await?;
            Ok((rows, matching.terms))
        };
        let (rows, terms) = outcome.await.map_err(top_level)?;
        let shown_as = rows.iter().map(async |(row, _)| {
            let at = TextAt::of(row.id, row.id, TranslatableField::Title);
            let title = at.in_chain(call, &call.chain).await?;
            Ok::<_, async_graphql::Error>(title.unwrap_or_else(|| row.title.clone()))
        });
        let titles = try_join_all(shown_as).await?;
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let queries = completions(&terms, &titles, MAX_SUGGESTED as usize);
        let shown = usize::try_from(first.unwrap_or(SUGGESTED)).unwrap_or(0);
        let products = rows.into_iter().take(shown).map(|(row, _)| Product::from(row)).collect();
        Ok(SearchSuggestions { queries, products })
    }
}

/// Refuses a query that holds too much.
fn read(query: &str) -> Result<Query, Refusal> {
    Query::read(query).map_err(|refusal| refusal.at(["query"]))
}

/// A filter that begins with the query, looked up, and what the query was found
/// to mean; nothing when it is blank.
async fn find(conn: &Conn, view: &View, asked: &Filter) -> Result<(Filter, Option<Matching>)> {
    let found = look_up(conn, view, Some(asked)).await?.unwrap_or_else(|| asked.clone());
    let matching = match &found {
        Filter::All(parts) => parts.first().and_then(|part| match part {
            Filter::Matches(matching) => Some(matching.clone()),
            _ => None,
        }),
        _ => None,
    };
    Ok((found, matching))
}

/// Which facets the client reads.
fn wanted(facets: &Lookahead<'_>) -> Wanted {
    let read = |name: &str| facets.field(name).exists();
    Wanted {
        tags: read("tags"),
        product_types: read("productTypes"),
        vendors: read("vendors"),
        options: read("options"),
        prices: read("prices"),
        availability: read("availability"),
        categories: read("categories"),
    }
}

/// Whether the client reads names as they are shown.
fn labels(facets: &Lookahead<'_>) -> bool {
    let lists = [facets.field("tags"), facets.field("productTypes"), facets.field("options")];
    let values = facets.field("options").field("values");
    lists.iter().chain([&values]).any(|list| list.field("label").exists())
}
