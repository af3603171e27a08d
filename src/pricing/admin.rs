//! Price lists and the prices of many variants on the admin surface.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::catalog::{OnError, WriteOutcome};
use domain::id::{PriceListId, ProductId, VariantId};
use domain::pricing::check::PriceWish;
use domain::pricing::{PriceListKind, PriceListState, PriceListStatus};
use domain::refusal::{ErrorCode, Refusal};
use entity::{price, price_list};

use super::load::PriceCountOf;
use super::types::{AdminPrice, AdminPriceRuleInput, PriceRule, rules};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, connection, one_sort};
use crate::api::payload::{UserError, part, payload, top_level};
use crate::api::scalar::{MoneyInput, id, parse_id};
use crate::api::word::Enum;
use engine::pricing::bulk::{PriceDone, PriceRow, SetPrices, VariantName};
use engine::pricing::ops::{DeletePriceList, SetPriceList};
use engine::pricing::{buyer, export, repo};

connection! {
    /// Prices, the oldest first.
    AdminPriceConnection, AdminPriceEdge, AdminPrice, price::Model
}

/// Prices that belong together: a sale, or what some shoppers pay instead.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct AdminPriceList {
    /// Its id.
    pub id: ID,
    /// Rises with every change; send it as `expectedVersion`.
    pub version: i32,
    /// Its handle.
    pub handle: String,
    /// Its name; shoppers read it where a price explains itself.
    pub name: String,
    /// What staff noted about it.
    pub description: Option<String>,
    /// What it does to other prices.
    pub kind: Enum<PriceListKind>,
    /// Whether staff have let it go.
    pub status: Enum<PriceListStatus>,
    /// Where it is at this moment.
    pub state: Enum<PriceListState>,
    /// When it starts; null when it always counted.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends, exclusive; null when it has no end.
    pub ends_at: Option<DateTime<Utc>>,
    /// Among lists of which several have a price the highest counts.
    pub priority: i32,
    /// For whom it is: all of them must hold. At most 20.
    pub rules: Vec<PriceRule>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    list: PriceListId,
}

impl AdminPriceList {
    fn new(row: &price_list::Model, now: DateTime<Utc>) -> Self {
        Self {
            id: id(row.id),
            version: row.version,
            handle: row.handle.as_str().to_owned(),
            name: row.name.clone(),
            description: row.description.clone(),
            kind: Enum(row.kind),
            status: Enum(row.status),
            state: Enum(buyer::list(row).state(now.timestamp_micros())),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            priority: row.priority,
            rules: row.rules.0.iter().map(PriceRule::from).collect(),
            updated_at: row.updated_at,
            list: row.id,
        }
    }
}

#[ComplexObject]
impl AdminPriceList {
    /// How many prices it has.
    async fn prices_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        call(ctx)?.load(PriceCountOf(self.list)).await
    }

    /// Its prices, the oldest first.
    async fn prices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<AdminPriceConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let args = PageArgs { first, after, last, before, offset: None };
            let asked = Page::read(args, ADMIN_MAX, false, &("prices of a list", self.list))?;
            repo::page_of_list(&call.conn(), self.list, asked, count).await
        };
        outcome.await.map(AdminPriceConnection::from).map_err(top_level)
    }
}

/// Some rows of the prices of a list, as CSV.
#[derive(Debug, SimpleObject)]
pub struct AdminPriceCsvPart {
    /// About 1000 rows that end with a line break; the first part begins with the names of the columns.
    pub text: String,
    /// How many prices it holds.
    pub prices: i32,
    /// How many prices are left out because their variants have no SKU.
    pub left_out: i32,
    /// Send it as `after` to get the next part; null when this is the last one.
    pub next: Option<String>,
}

impl From<export::Part> for AdminPriceCsvPart {
    fn from(part: export::Part) -> Self {
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let (prices, left_out) = (count(part.written), count(part.left_out));
        Self { text: part.text, prices, left_out, next: part.last.map(|last| last.to_string()) }
    }
}

/// What price lists must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminPriceListFilter {
    /// It is of this kind.
    pub kind: Option<Enum<PriceListKind>>,
    /// It is in one of these states.
    pub states: Option<Vec<Enum<PriceListState>>>,
    /// Its name or its handle contains this, whatever its capitals.
    pub query: Option<String>,
}

/// By what price lists are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum AdminPriceListSortField {
    /// When they were made.
    CreatedAt,
    /// Their name.
    Name,
    /// When they start; those that always counted come first.
    StartsAt,
    /// Their priority.
    Priority,
}

/// How price lists are sorted.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct AdminPriceListSort {
    /// By what.
    pub field: AdminPriceListSortField,
    /// Which way; upwards when absent.
    pub direction: Option<SortDirection>,
}

/// Queries about price lists.
#[derive(Debug, Default)]
pub struct PricingAdminQuery;

#[Object]
impl PricingAdminQuery {
    /// The price lists, the oldest first unless you sort them. A shop has at most 500.
    #[graphql(guard = "catalog_read()")]
    async fn price_lists(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What they must be.")] filter: Option<AdminPriceListFilter>,
        #[graphql(desc = "At most one.")] sort: Option<Vec<AdminPriceListSort>>,
    ) -> async_graphql::Result<Vec<AdminPriceList>> {
        let call = call(ctx)?;
        let now = call.app.clock.now();
        let filter = filter.unwrap_or_default();
        let by_age = AdminPriceListSort { field: AdminPriceListSortField::CreatedAt, direction: None };
        let sort = one_sort(sort, by_age).map_err(|refusal| top_level(refusal.into()))?;
        let words = filter.query.map(|text| text.trim().to_lowercase());
        let fits = |row: &&price_list::Model| {
            let state = buyer::list(row).state(now.timestamp_micros());
            let named = |words: &String| row.name.to_lowercase().contains(words) || row.handle.as_str().contains(words);
            row.deleted_at.is_none()
                && filter.kind.is_none_or(|kind| kind.0 == row.kind)
                && filter.states.as_ref().is_none_or(|states| states.iter().any(|wanted| wanted.0 == state))
                && words.as_ref().is_none_or(named)
        };
        let mut rows: Vec<&price_list::Model> = call.settings.price_lists.iter().filter(fits).collect();
        match sort.field {
            AdminPriceListSortField::CreatedAt => {}
            AdminPriceListSortField::Name => rows.sort_by_key(|row| row.name.to_lowercase()),
            AdminPriceListSortField::StartsAt => rows.sort_by_key(|row| row.starts_at),
            AdminPriceListSortField::Priority => rows.sort_by_key(|row| row.priority),
        }
        if sort.direction == Some(SortDirection::Desc) {
            rows.reverse();
        }
        Ok(rows.into_iter().map(|row| AdminPriceList::new(row, now)).collect())
    }

    /// The prices of a price list as CSV, part after part: put together they are a file that `priceListPricesImport`
    /// takes, and that changes nothing as long as nothing was changed. Null when there is no such list.
    #[graphql(guard = "catalog_read()")]
    async fn price_list_prices_csv(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the price list.")] price_list_id: ID,
        #[graphql(desc = "The `next` of the part before; the first part when absent.")] after: Option<String>,
    ) -> async_graphql::Result<Option<AdminPriceCsvPart>> {
        let call = call(ctx)?;
        let outcome = async {
            let list: PriceListId = parse_id(&price_list_id, &["priceListId"])?;
            let after: Option<ProductId> = after.map(|after| parse_id(&ID(after), &["after"])).transpose()?;
            if !call.settings.price_lists.iter().any(|row| row.id == list && row.deleted_at.is_none()) {
                return Ok(None);
            }
            export::part(&call.conn(), list, after).await.map(Some)
        };
        Ok(outcome.await.map_err(top_level)?.map(AdminPriceCsvPart::from))
    }

    /// A price list; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn price_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminPriceList>> {
        let call = call(ctx)?;
        let id: PriceListId = parse_id(&id, &["id"]).map_err(|refusal| top_level(refusal.into()))?;
        let row = call.settings.price_lists.iter().find(|row| row.id == id && row.deleted_at.is_none());
        Ok(row.map(|row| AdminPriceList::new(row, call.app.clock.now())))
    }
}

/// A price list as you want it.
#[derive(Debug, InputObject)]
pub struct AdminPriceListSetInput {
    /// Which list: a known handle changes that one, a new handle makes one. Made from the name when absent.
    pub handle: Option<String>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name, 1 to 255 characters; shoppers read it where a price explains itself.
    pub name: String,
    /// A note for staff, at most 1000 characters.
    pub description: Option<String>,
    /// What it does to other prices.
    pub kind: Enum<PriceListKind>,
    /// Whether it may count; a draft when absent.
    pub status: Option<Enum<PriceListStatus>>,
    /// When it starts; at once when absent.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends, exclusive; never when absent.
    pub ends_at: Option<DateTime<Utc>>,
    /// Among lists of which several have a price the highest counts: between -1000000 and 1000000.
    #[graphql(default = 0)]
    pub priority: i32,
    /// For whom it is: all of them must hold, at most 20; everybody when absent.
    pub rules: Option<Vec<AdminPriceRuleInput>>,
}

/// Which price list is deleted.
#[derive(Debug, InputObject)]
pub struct AdminPriceListDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// A price of a variant, or that it shall have none.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPriceRowInput {
    /// Which variant; or name it by its SKU.
    pub variant_id: Option<ID>,
    /// Which variant, by its SKU.
    pub sku: Option<String>,
    /// What one piece costs. When absent the variant shall have no price here, and is in no other row.
    pub amount: Option<MoneyInput>,
    /// What it cost before, in the same currency.
    pub compare_at: Option<MoneyInput>,
    /// Whether both include tax; as usual for the currency when absent.
    pub includes_tax: Option<bool>,
    /// The first quantity for which it is; when absent it is for every quantity that has no other price.
    pub min_quantity: Option<i32>,
    /// The last quantity for which it is; up to the next price when absent.
    pub max_quantity: Option<i32>,
    /// For whom it is: all of them must hold, at most 20; everybody when absent.
    pub rules: Option<Vec<AdminPriceRuleInput>>,
}

/// The prices of many variants in one price list.
#[derive(Debug, InputObject)]
pub struct AdminPriceListPricesBulkSetInput {
    /// The price list.
    pub price_list_id: ID,
    /// The prices, at most 10000. Those of a variant stand in place of all that it had in this list.
    pub rows: Vec<AdminPriceRowInput>,
    /// What a refused row does to the others; it refuses all when absent.
    pub on_error: Option<Enum<OnError>>,
}

/// The base prices of many variants.
#[derive(Debug, InputObject)]
pub struct AdminVariantPricesBulkSetInput {
    /// The prices, at most 10000. Those of a variant stand in place of all its base prices.
    pub rows: Vec<AdminPriceRowInput>,
    /// What a refused row does to the others; it refuses all when absent.
    pub on_error: Option<Enum<OnError>>,
}

fn row(place: usize, input: AdminPriceRowInput) -> Result<PriceRow, Refusal> {
    let number = place.to_string();
    let at = |field: &'static str| ["rows", &number, field].map(str::to_owned);
    let variant = match (input.variant_id, input.sku) {
        (Some(id), None) => {
            VariantName::Id(parse_id::<VariantId>(&id, &[]).map_err(|refusal| refusal.at(at("variantId")))?)
        }
        (None, Some(sku)) => VariantName::Sku(sku.trim().to_owned()),
        _ => {
            let message = "Name the variant, either by its id or by its SKU.";
            return Err(Refusal::new(ErrorCode::Required, message).at(at("variantId")));
        }
    };
    let Some(amount) = input.amount else { return Ok(PriceRow { variant, price: None }) };
    let amount = amount.check(&["rows", &number, "amount"])?;
    let compare_at = input.compare_at.map(|before| before.check(&["rows", &number, "compareAt"])).transpose()?;
    if compare_at.is_some_and(|before| before.currency != amount.currency) {
        return Err(Refusal::new(ErrorCode::Invalid, "Both amounts are in one currency.").at(at("compareAt")));
    }
    let price = PriceWish {
        currency: amount.currency,
        amount_minor: amount.minor,
        compare_at_minor: compare_at.map(|before| before.minor),
        includes_tax: input.includes_tax,
        min_quantity: input.min_quantity,
        max_quantity: input.max_quantity,
        rules: rules(input.rules),
    };
    Ok(PriceRow { variant, price: Some(price) })
}

fn set_prices(list: Option<PriceListId>, rows: Vec<AdminPriceRowInput>, on_error: Option<Enum<OnError>>) -> SetPrices {
    let mut refused = Vec::new();
    let read = |(place, input): (usize, AdminPriceRowInput)| {
        row(place, input).unwrap_or_else(|refusal| {
            refused.push((place, refusal));
            PriceRow { variant: VariantName::Sku(String::new()), price: None }
        })
    };
    let rows = rows.into_iter().enumerate().map(read).collect();
    SetPrices { list, rows, on_error: on_error.map_or(OnError::Abort, |word| word.0), refused, keeps: false }
}

/// What became of a row.
#[derive(Debug, SimpleObject)]
pub struct AdminPriceRowResult {
    /// Its place among the rows, from 0 on.
    pub index: i32,
    /// What became of it.
    pub outcome: Enum<WriteOutcome>,
    /// The variant; null when there is no such variant.
    pub variant_id: Option<ID>,
    /// Every reason against it.
    pub user_errors: Vec<UserError>,
}

/// What setting many prices did.
#[derive(Debug, SimpleObject)]
pub struct AdminPricesBulkSetPayload {
    /// What became of each row, in the order of the rows; null when nothing was done. At most 10000.
    pub results: Option<Vec<AdminPriceRowResult>>,
    /// How many rows were new prices.
    pub created: i32,
    /// How many rows changed a price.
    pub updated: i32,
    /// How many rows were as wished already.
    pub unchanged: i32,
    /// How many rows took the prices of a variant away.
    pub deleted: i32,
    /// How many rows were refused.
    pub refused: i32,
    /// Every reason against any row.
    pub user_errors: Vec<UserError>,
}

impl AdminPricesBulkSetPayload {
    fn answer(outcome: engine::error::Result<Vec<PriceDone>>, rows: usize) -> async_graphql::Result<Self> {
        let (done, mut user_errors) = part(outcome)?;
        let Some(done) = done else {
            let refused = i32::try_from(rows).unwrap_or(i32::MAX);
            let (created, updated, unchanged, deleted) = (0, 0, 0, 0);
            return Ok(Self { results: None, created, updated, unchanged, deleted, refused, user_errors });
        };
        let count = |word| done.iter().filter(|done| done.outcome == word).count() as i32;
        let [created, updated, unchanged, deleted, refused] = [
            WriteOutcome::Created,
            WriteOutcome::Updated,
            WriteOutcome::Unchanged,
            WriteOutcome::Deleted,
            WriteOutcome::Refused,
        ]
        .map(count);
        user_errors.extend(done.iter().flat_map(|done| done.refusals.iter().cloned()).map(UserError::from));
        let result = |(place, done): (usize, PriceDone)| AdminPriceRowResult {
            index: place as i32,
            outcome: Enum(done.outcome),
            variant_id: done.variant.map(id),
            user_errors: done.refusals.into_iter().map(UserError::from).collect(),
        };
        let results = Some(done.into_iter().enumerate().map(result).collect());
        Ok(Self { results, created, updated, unchanged, deleted, refused, user_errors })
    }
}

payload! {
    /// What `priceListSet` did.
    AdminPriceListSetPayload {
        /// The price list as it is now.
        price_list: AdminPriceList
    }
}

payload! {
    /// What `priceListDelete` did.
    AdminPriceListDeletePayload {
        /// The id of the price list that was deleted.
        deleted_id: ID
    }
}

/// Mutations of price lists and prices.
#[derive(Debug, Default)]
pub struct PricingAdminMutation;

#[Object]
impl PricingAdminMutation {
    /// Makes or changes a price list. Carts and products follow at once, lists that are sorted or filtered by price
    /// within seconds.
    #[graphql(guard = "catalog_write()")]
    async fn price_list_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The price list as you want it.")] input: AdminPriceListSetInput,
    ) -> async_graphql::Result<AdminPriceListSetPayload> {
        let call = call(ctx)?;
        let op = SetPriceList {
            handle: input.handle,
            expected_version: input.expected_version,
            name: input.name,
            description: input.description,
            kind: input.kind.0,
            status: input.status.map_or(PriceListStatus::Draft, |status| status.0),
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            priority: input.priority,
            rules: rules(input.rules),
        };
        let outcome = call.app.run(&call.caller, &op).await;
        AdminPriceListSetPayload::answer(outcome.map(|row| AdminPriceList::new(&row, call.app.clock.now())))
    }

    /// Deletes a price list: none of its prices counts from now on.
    #[graphql(guard = "catalog_write()")]
    async fn price_list_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which price list.")] input: AdminPriceListDeleteInput,
    ) -> async_graphql::Result<AdminPriceListDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeletePriceList { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminPriceListDeletePayload::answer(outcome.await)
    }

    /// Sets the prices of many variants in a price list.
    #[graphql(guard = "catalog_write()")]
    async fn price_list_prices_bulk_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The prices, and what a refused row does to the others.")]
        input: AdminPriceListPricesBulkSetInput,
    ) -> async_graphql::Result<AdminPricesBulkSetPayload> {
        let call = call(ctx)?;
        let rows = input.rows.len();
        let outcome = async {
            let list = parse_id(&input.price_list_id, &["priceListId"])?;
            call.app.run(&call.caller, &set_prices(Some(list), input.rows, input.on_error)).await
        };
        AdminPricesBulkSetPayload::answer(outcome.await, rows)
    }

    /// Sets the base prices of many variants, with tiers and rules.
    #[graphql(guard = "catalog_write()")]
    async fn variant_prices_bulk_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The prices, and what a refused row does to the others.")]
        input: AdminVariantPricesBulkSetInput,
    ) -> async_graphql::Result<AdminPricesBulkSetPayload> {
        let call = call(ctx)?;
        let rows = input.rows.len();
        let outcome = call.app.run(&call.caller, &set_prices(None, input.rows, input.on_error)).await;
        AdminPricesBulkSetPayload::answer(outcome, rows)
    }
}
