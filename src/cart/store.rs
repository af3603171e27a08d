//! Carts on the store surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::cart::{CartState, MAX_LINES};
use domain::id::CartId;
use domain::refusal::{ErrorCode, Refusal, Refusals};

use super::types::{Cart, CartAddressesInput, CartBuyerInput, PaymentSession};
use crate::api::call::{Call, call};
use crate::api::payload::{UserError, find, part, payload};
use crate::api::scalar::{Int64, Json, parse_id};
use engine::auth::token::random_token;
use engine::cart::codes::{UpdateCodes, count_guesses, count_guesses_at};
use engine::cart::ops::{
    AddLines, CartAccess, CreateCart, CreatePaymentSession, NewLine, RemoveLines, SelectDelivery, UpdateAddresses,
    UpdateBuyer, UpdateLines, is_own,
};
use engine::cart::quote::quote;
use engine::cart::repo;
use engine::error::{Error, Result};
use engine::op::Rehearsal;
use engine::payment::method::{Choice, prepare};

/// Pieces of a variant.
#[derive(Debug, InputObject)]
pub struct CartLineInput {
    /// Which variant.
    pub variant_id: ID,
    /// How many, between 1 and 9999; one when absent.
    #[graphql(default_with = "Int64(1)")]
    pub quantity: Int64,
}

/// What a new cart holds.
#[derive(Debug, InputObject)]
pub struct CartCreateInput {
    /// What it holds, at most 100 lines.
    pub lines: Option<Vec<CartLineInput>>,
    /// Who is buying.
    pub buyer: Option<CartBuyerInput>,
    /// Where it goes. Without a region, the one of this country is taken.
    pub addresses: Option<CartAddressesInput>,
    /// Codes of promotions and gift cards, at most 20, as `cartCodesUpdate` takes them.
    pub codes: Option<Vec<String>>,
}

/// The codes of a cart.
#[derive(Debug, InputObject)]
pub struct CartCodesUpdateInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// All of its codes, at most 20, of promotions and gift cards; those that you leave out go. Capitals and blanks
    /// around them don't matter. A gift card that lies in the cart is named by its `code` there.
    pub codes: Vec<String>,
}

/// What goes into a cart.
#[derive(Debug, InputObject)]
pub struct CartLinesAddInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// What goes in, at most 100 lines. A variant that the cart holds already grows.
    pub lines: Vec<CartLineInput>,
}

/// How many pieces a line shall hold.
#[derive(Debug, InputObject)]
pub struct CartLineUpdateInput {
    /// Which line.
    pub line_id: ID,
    /// How many, between 1 and 9999; `cartLinesRemove` takes a line out.
    pub quantity: Int64,
}

/// How many pieces lines shall hold.
#[derive(Debug, InputObject)]
pub struct CartLinesUpdateInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// Which lines, at most 100.
    pub lines: Vec<CartLineUpdateInput>,
}

/// What goes out of a cart.
#[derive(Debug, InputObject)]
pub struct CartLinesRemoveInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// Which lines, at most 100.
    pub line_ids: Vec<ID>,
}

/// Who is buying.
#[derive(Debug, InputObject)]
pub struct CartBuyerUpdateInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// What changes.
    #[graphql(flatten)]
    pub buyer: CartBuyerInput,
}

/// Where a cart goes.
#[derive(Debug, InputObject)]
pub struct CartAddressesUpdateInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// What changes.
    #[graphql(flatten)]
    pub addresses: CartAddressesInput,
}

/// How a delivery group is sent.
#[derive(Debug, InputObject)]
pub struct CartDeliverySelectInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// Which delivery group; the one that the option is for when absent.
    pub delivery_group_id: Option<ID>,
    /// Which of the options that the group is offered.
    pub delivery_option_id: ID,
}

/// How a cart is paid.
#[derive(Debug, InputObject)]
pub struct PaymentSessionCreateInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// The name of a provider that the cart's region offers.
    pub provider: String,
    /// What the provider needs to know, such as a payment method; at most 16 KiB as text.
    pub data: Option<Json>,
    /// A payment method that the signed-in customer saved at this provider (`Customer.paymentMethods`); it pays then.
    pub payment_method_id: Option<ID>,
    /// Whether what pays is saved for the signed-in customer, once it has worked: only when he has agreed to it.
    #[graphql(default)]
    pub save_payment_method: bool,
}

/// What `cartCreate` did.
#[derive(Debug, SimpleObject)]
pub struct CartCreatePayload {
    /// The new cart.
    pub cart: Option<Cart>,
    /// Opens the cart: keep it with the cart's id and send it with every call. Shown this once.
    pub cart_token: Option<String>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

payload! {
    /// What `cartLinesAdd` did.
    CartLinesAddPayload {
        /// The cart as it is now.
        cart: Cart
    }
}

payload! {
    /// What `cartLinesUpdate` did.
    CartLinesUpdatePayload {
        /// The cart as it is now.
        cart: Cart
    }
}

payload! {
    /// What `cartLinesRemove` did.
    CartLinesRemovePayload {
        /// The cart as it is now.
        cart: Cart
    }
}

payload! {
    /// What `cartBuyerUpdate` did.
    CartBuyerUpdatePayload {
        /// The cart as it is now.
        cart: Cart
    }
}

payload! {
    /// What `cartAddressesUpdate` did.
    CartAddressesUpdatePayload {
        /// The cart as it is now.
        cart: Cart
    }
}

payload! {
    /// What `cartCodesUpdate` did.
    CartCodesUpdatePayload {
        /// The cart as it is now; its `codes` say what became of each.
        cart: Cart
    }
}

payload! {
    /// What `cartDeliverySelect` did.
    CartDeliverySelectPayload {
        /// The cart as it is now.
        cart: Cart
    }
}

/// What `paymentSessionCreate` did.
#[derive(Debug, SimpleObject)]
pub struct PaymentSessionCreatePayload {
    /// The payment that was chosen. No money has moved.
    pub payment_session: Option<PaymentSession>,
    /// The cart as it is now.
    pub cart: Option<Cart>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// Reads how a caller shows that a cart is his; a damaged id is a cart that isn't there.
pub fn access(id: &ID, token: Option<String>) -> Result<CartAccess> {
    let id: CartId = parse_id(id, &["cartId"])?;
    Ok(CartAccess { id, token })
}

/// The lines of an input, or why they are none.
pub fn new_lines(lines: &[CartLineInput]) -> Result<Vec<NewLine>> {
    if lines.len() > MAX_LINES {
        let message = format!("At most {MAX_LINES} lines at once.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LINES as i64).at(["lines"]).into());
    }
    let mut refusals = Refusals::default();
    let mut read = Vec::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        let variant = parse_id(&line.variant_id, &["lines", &place.to_string(), "variantId"]);
        read.extend(refusals.keep(variant).map(|variant| NewLine { variant, quantity: line.quantity.0 }));
    }
    refusals.into_result()?;
    Ok(read)
}

/// Queries about carts.
#[derive(Debug, Default)]
pub struct CartStoreQuery;

#[Object]
impl CartStoreQuery {
    /// A cart as it is at this moment; null when there is none, or it isn't yours.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart's id.")] id: ID,
        #[graphql(desc = "The token that came with it; not needed for a signed-in customer's cart.")] token: Option<
            String,
        >,
    ) -> async_graphql::Result<Option<Cart>> {
        let call = call(ctx)?;
        let outcome = async {
            let id: CartId = parse_id(&id, &["id"]).map_err(|_| Error::not_found("cart"))?;
            let quoted = async || {
                let conn = call.conn();
                let row = repo::find(&conn, id).await?;
                let row = row.filter(|row| is_own(row, &call.caller.actor, token.as_deref()));
                let now = call.app.clock.now();
                let row = row.filter(|row| row.state != CartState::Abandoned && row.expires_at > now);
                let rows = repo::rows_of(&conn, row.ok_or_else(|| Error::not_found("cart"))?).await?;
                quote(&conn, &call.settings, rows, now).await
            };
            call.app.asking(quoted).await
        };
        Ok(find(outcome.await)?.map(Cart::from))
    }
}

/// Mutations of carts.
#[derive(Debug, Default)]
pub struct CartStoreMutation;

#[Object]
impl CartStoreMutation {
    /// Makes a cart, as full as you like, in one call.
    async fn cart_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it holds.")] input: CartCreateInput,
    ) -> async_graphql::Result<CartCreatePayload> {
        let call = call(ctx)?;
        let token = random_token("ct_");
        let outcome = async {
            let codes = input.codes.unwrap_or_default();
            count_guesses(&call.app, &call.caller, &token, &codes).await?;
            let op = CreateCart {
                codes,
                channel: call.channel.id,
                region: call.region.clone(),
                locale: call.locale.clone(),
                token: token.clone(),
                lines: new_lines(&input.lines.unwrap_or_default())?,
                buyer: input.buyer.unwrap_or_default().into(),
                addresses: input.addresses.unwrap_or_default().into(),
            };
            call.app.run(&call.caller, &op).await
        };
        let (quote, user_errors) = part(outcome.await)?;
        let cart_token = quote.as_ref().map(|_| token);
        Ok(CartCreatePayload { cart: quote.map(Cart::from), cart_token, user_errors })
    }

    /// Puts pieces into a cart.
    async fn cart_lines_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What goes in.")] input: CartLinesAddInput,
    ) -> async_graphql::Result<CartLinesAddPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = AddLines { access: access(&input.cart_id, input.cart_token)?, lines: new_lines(&input.lines)? };
            call.app.run(&call.caller, &op).await.map(Cart::from)
        };
        CartLinesAddPayload::answer(outcome.await)
    }

    /// Changes how many pieces lines hold.
    async fn cart_lines_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lines.")] input: CartLinesUpdateInput,
    ) -> async_graphql::Result<CartLinesUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let mut lines = Vec::new();
            for (place, line) in input.lines.iter().enumerate() {
                let id = parse_id(&line.line_id, &["lines", &place.to_string(), "lineId"]);
                lines.extend(refusals.keep(id).map(|id| (id, line.quantity.0)));
            }
            refusals.into_result()?;
            let op = UpdateLines { access: access(&input.cart_id, input.cart_token)?, lines };
            call.app.run(&call.caller, &op).await.map(Cart::from)
        };
        CartLinesUpdatePayload::answer(outcome.await)
    }

    /// Takes lines out of a cart.
    async fn cart_lines_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lines.")] input: CartLinesRemoveInput,
    ) -> async_graphql::Result<CartLinesRemovePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let ids = input.line_ids.iter().enumerate();
            let ids = ids.filter_map(|(place, id)| refusals.keep(parse_id(id, &["lineIds", &place.to_string()])));
            let lines = ids.collect();
            refusals.into_result()?;
            let op = RemoveLines { access: access(&input.cart_id, input.cart_token)?, lines };
            call.app.run(&call.caller, &op).await.map(Cart::from)
        };
        CartLinesRemovePayload::answer(outcome.await)
    }

    /// Changes who is buying: e-mail, region, language.
    async fn cart_buyer_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: CartBuyerUpdateInput,
    ) -> async_graphql::Result<CartBuyerUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = UpdateBuyer { access: access(&input.cart_id, input.cart_token)?, buyer: input.buyer.into() };
            call.app.run(&call.caller, &op).await.map(Cart::from)
        };
        CartBuyerUpdatePayload::answer(outcome.await)
    }

    /// Changes where a cart is sent and billed to.
    async fn cart_addresses_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: CartAddressesUpdateInput,
    ) -> async_graphql::Result<CartAddressesUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let access = access(&input.cart_id, input.cart_token)?;
            let op = UpdateAddresses { access, addresses: input.addresses.into() };
            call.app.run(&call.caller, &op).await.map(Cart::from)
        };
        CartAddressesUpdatePayload::answer(outcome.await)
    }

    /// Makes the codes of a cart what you send: the whole list. Each is kept and answered for in the cart's `codes`:
    /// applied, or why not. Whoever sends many that the shop does not know has to wait: `THROTTLED`.
    async fn cart_codes_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All codes of the cart.")] input: CartCodesUpdateInput,
    ) -> async_graphql::Result<CartCodesUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let access = access(&input.cart_id, input.cart_token)?;
            count_guesses_at(&call.app, &call.caller, access.id, &input.codes).await?;
            call.app.run(&call.caller, &UpdateCodes { access, codes: input.codes }).await.map(Cart::from)
        };
        CartCodesUpdatePayload::answer(outcome.await)
    }

    /// Chooses how a delivery group is sent.
    async fn cart_delivery_select(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The choice.")] input: CartDeliverySelectInput,
    ) -> async_graphql::Result<CartDeliverySelectPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let group = input.delivery_group_id.as_ref().map(|id| parse_id(id, &["deliveryGroupId"]));
            let op = SelectDelivery {
                access: access(&input.cart_id, input.cart_token)?,
                group: group.transpose()?,
                option: parse_id(&input.delivery_option_id, &["deliveryOptionId"])?,
            };
            call.app.run(&call.caller, &op).await.map(Cart::from)
        };
        CartDeliverySelectPayload::answer(outcome.await)
    }

    /// Chooses how a cart is paid. No money moves before `cartComplete`.
    async fn payment_session_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The choice.")] input: PaymentSessionCreateInput,
    ) -> async_graphql::Result<PaymentSessionCreatePayload> {
        let call = call(ctx)?;
        let outcome = choose_payment(call, input).await;
        let (quote, user_errors) = part(outcome)?;
        let session = quote.as_ref().and_then(|quote| quote.rows.session.as_ref()).map(PaymentSession::from);
        Ok(PaymentSessionCreatePayload { payment_session: session, cart: quote.map(Cart::from), user_errors })
    }
}

/// The largest data of a payment session, in bytes of JSON.
const MAX_DATA: usize = 16 * 1024;

/// What a provider needs to know, when it is small enough.
pub fn session_data(data: Option<Json>) -> Result<serde_json::Value, Refusal> {
    let data = data.map_or_else(|| serde_json::json!({}), |data| data.0);
    if data.to_string().len() > MAX_DATA {
        let message = format!("The data is larger than {MAX_DATA} bytes.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_DATA as i64).at(["data"]));
    }
    Ok(data)
}

async fn choose_payment(call: &Call, input: PaymentSessionCreateInput) -> Result<engine::cart::quote::Quote> {
    let access = access(&input.cart_id, input.cart_token)?;
    let data = session_data(input.data)?;
    let method = input.payment_method_id.as_ref().map(|id| id.as_str());
    let choice = Choice::read(&input.provider, method, input.save_payment_method)?;
    let op = CreatePaymentSession { access, provider: input.provider, data, choice };
    if op.choice != Choice::default() {
        // The provider is told of nobody whom the shop would refuse.
        call.app.run(&call.caller, &Rehearsal(&op)).await?;
        prepare(&call.app, &call.caller, &op.provider, &op.choice).await?;
    }
    call.app.run(&call.caller, &op).await
}
