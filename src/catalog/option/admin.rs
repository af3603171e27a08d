//! Shared options on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, OneofObject};
use domain::catalog::Swatch as Look;
use domain::refusal::{Refusal, Refusals};
use entity::{option, option_value};

use super::load::ValuesOf;
use super::types::Swatch;
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, connection};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use engine::catalog::options::{SetOption, SetOptionValue};
use engine::catalog::repo::options::page;
use engine::error::Result;

/// An option that products share, such as Color.
#[derive(Debug, Clone)]
pub struct AdminOption(option::Model);

impl From<option::Model> for AdminOption {
    fn from(row: option::Model) -> Self {
        Self(row)
    }
}

/// An option that products share, such as Color.
#[Object]
impl AdminOption {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What shoppers read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its place among the options of the shop.
    async fn rank(&self) -> i32 {
        self.0.rank
    }

    /// Rises with every change of the option or one of its values; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Every value that any product uses, or did, in order.
    async fn values(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminOptionValue>> {
        let rows = call(ctx)?.load(ValuesOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(AdminOptionValue).collect())
    }
}

connection! {
    /// A page of options.
    AdminOptionConnection, AdminOptionEdge, AdminOption, option::Model
}

/// A value of an option, such as Green.
#[derive(Debug, Clone)]
pub struct AdminOptionValue(option_value::Model);

/// A value of an option, such as Green.
#[Object]
impl AdminOptionValue {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What shoppers read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its place among the values of its option.
    async fn rank(&self) -> i32 {
        self.0.rank
    }

    /// What it looks like.
    async fn swatch(&self) -> Option<Swatch> {
        Swatch::of(self.0.swatch_color.as_ref(), self.0.swatch_url.as_ref())
    }
}

/// Queries about options.
#[derive(Debug, Default)]
pub struct OptionAdminQuery;

#[Object]
impl OptionAdminQuery {
    /// The options that products share, by rank.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn options(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
    ) -> async_graphql::Result<AdminOptionConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let args = PageArgs { first, after, last, before, offset };
            page(&call.conn(), Page::read(args, ADMIN_MAX, false, &"admin options")?, count).await
        };
        outcome.await.map(AdminOptionConnection::from).map_err(top_level)
    }
}

/// An option: a known one by its id or name, or a new one.
#[derive(Debug, InputObject)]
pub struct AdminOptionSetInput {
    /// Which option; when absent, the one of this name, or a new one.
    pub id: Option<ID>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// What shoppers read. With an id it renames the option for every product; two options can't be merged by one name.
    pub name: Option<String>,
    /// Its place among the options of the shop; 0 when absent on a new one.
    pub rank: Option<i32>,
}

/// What a value looks like: exactly one of these.
#[derive(Debug, Clone, OneofObject)]
pub enum AdminSwatchInput {
    /// A color, `#rrggbb`.
    Color(String),
    /// The address of a picture, `https://…` or a path on this server.
    ImageUrl(String),
}

impl AdminSwatchInput {
    fn look(self) -> Result<Look, Refusal> {
        match self {
            Self::Color(text) => Look::color(&text).map_err(|refusal| refusal.at(["swatch", "color"])),
            Self::ImageUrl(text) => Look::image(&text).map_err(|refusal| refusal.at(["swatch", "imageUrl"])),
        }
    }
}

/// A value of an option: a known one by its id or name, or a new one.
#[derive(Debug, InputObject)]
pub struct AdminOptionValueSetInput {
    /// Which value; when absent, the one of this name, or a new one.
    pub id: Option<ID>,
    /// Of which option; needed without an id.
    pub option_id: Option<ID>,
    /// The version of the option that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// What shoppers read. With an id it renames the value for every product; two values can't be merged by one name.
    pub name: Option<String>,
    /// Its place among the values of its option; a new one is the last when absent.
    pub rank: Option<i32>,
    /// What it looks like; null for nothing.
    pub swatch: MaybeUndefined<AdminSwatchInput>,
}

payload! {
    /// What `optionSet` did.
    AdminOptionSetPayload {
        /// The option as it is now.
        option: AdminOption
    }
}

payload! {
    /// What `optionValueSet` did.
    AdminOptionValueSetPayload {
        /// The option with its values as they are now.
        option: AdminOption
    }
}

/// Mutations of options.
#[derive(Debug, Default)]
pub struct OptionAdminMutation;

#[Object]
impl OptionAdminMutation {
    /// Makes an option or changes its name and place. Every product that has it shows the change.
    #[graphql(guard = "catalog_write()")]
    async fn option_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The option.")] input: AdminOptionSetInput,
    ) -> async_graphql::Result<AdminOptionSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id = input.id.as_ref().map(|id| parse_id(id, &["id"])).transpose()?;
            let (expected_version, name, rank) = (input.expected_version, input.name, input.rank);
            let op = SetOption { id, expected_version, name, rank };
            call.app.run(&call.caller, &op).await.map(AdminOption)
        };
        AdminOptionSetPayload::answer(outcome.await)
    }

    /// Makes a value of an option or changes its name, place and look. Every product that has it shows the change.
    #[graphql(guard = "catalog_write()")]
    async fn option_value_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The value.")] input: AdminOptionValueSetInput,
    ) -> async_graphql::Result<AdminOptionValueSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let id = refusals.keep(input.id.as_ref().map(|id| parse_id(id, &["id"])).transpose()).flatten();
            let option = input.option_id.as_ref().map(|id| parse_id(id, &["optionId"])).transpose();
            let option = refusals.keep(option).flatten();
            let swatch = refusals.keep(change(input.swatch).try_map(AdminSwatchInput::look)).unwrap_or_default();
            refusals.into_result()?;
            let (expected_version, name, rank) = (input.expected_version, input.name, input.rank);
            let op = SetOptionValue { id, option, expected_version, name, rank, swatch };
            call.app.run(&call.caller, &op).await.map(|(option, _)| AdminOption(option))
        };
        AdminOptionValueSetPayload::answer(outcome.await)
    }
}
