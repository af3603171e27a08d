//! Registering, logging in and proving mailboxes, on the store surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::auth::{Surface, TokenPurpose};

use crate::api::call::{Call, call};
use crate::api::payload::{UserError, part, payload};
use crate::cart::store::access;
use crate::cart::types::Cart;
use crate::customer::types::Customer;
use engine::actor::{Actor, Caller};
use engine::auth::ops::{self, Tokens};
use engine::auth::token::ACCESS_LIFE;
use engine::cart::merge::MergeCart;
use engine::customer::account::{self, LogOut, Registration};
use engine::customer::repo;
use engine::error::{Error, Result};

/// Tokens of a customer's session.
#[derive(Debug, Clone, SimpleObject)]
pub struct CustomerTokens {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// How many seconds the access token is good for.
    pub access_token_expires_in: i32,
    /// Send it once to `customerTokenRefresh` for new tokens. Using an old one ends the session.
    pub refresh_token: String,
}

impl From<Tokens> for CustomerTokens {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            access_token_expires_in: ACCESS_LIFE.num_seconds() as i32,
            refresh_token: tokens.refresh,
        }
    }
}

/// Who wants an account.
#[derive(Debug, InputObject)]
pub struct CustomerRegisterInput {
    /// The mailbox, which is also the name at log-in.
    pub email: String,
    /// The password, 8 to 128 characters.
    pub password: String,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// Whether to send news; no when absent.
    #[graphql(default)]
    pub accepts_marketing: bool,
    /// The language in which to write: a BCP 47 tag; the request's when absent.
    pub locale: Option<String>,
}

/// Proof of the mailbox of a new account.
#[derive(Debug, InputObject)]
pub struct CustomerVerifyInput {
    /// What was mailed.
    pub token: String,
    /// A password instead of the one from registering. Needed when the address was registered more than once,
    /// or by staff: then no password counts.
    pub password: Option<String>,
}

/// Which mailbox is asked for.
#[derive(Debug, InputObject)]
pub struct CustomerVerificationRequestInput {
    /// The mailbox.
    pub email: String,
}

/// E-mail and password of a customer, and the cart that he filled as a guest.
#[derive(Debug, InputObject)]
pub struct CustomerLoginInput {
    /// The mailbox.
    pub email: String,
    /// The password.
    pub password: String,
    /// A guest's cart that shall join the account.
    pub cart_id: Option<ID>,
    /// The token of that cart.
    pub cart_token: Option<String>,
}

/// A refresh token.
#[derive(Debug, InputObject)]
pub struct CustomerTokenRefreshInput {
    /// The refresh token that came last.
    pub refresh_token: String,
}

/// Which sessions end.
#[derive(Debug, InputObject)]
pub struct CustomerLogoutInput {
    /// Whether your other sessions end too.
    #[graphql(default)]
    pub everywhere: bool,
}

/// Whose password is forgotten.
#[derive(Debug, InputObject)]
pub struct CustomerPasswordRecoverInput {
    /// The mailbox.
    pub email: String,
}

/// A new password by a mailed token.
#[derive(Debug, InputObject)]
pub struct CustomerPasswordResetInput {
    /// What was mailed.
    pub token: String,
    /// The new password, 8 to 128 characters.
    pub password: String,
}

/// A new password for yourself.
#[derive(Debug, InputObject)]
pub struct CustomerPasswordChangeInput {
    /// The password that you have.
    pub current_password: String,
    /// The password that you want, 8 to 128 characters.
    pub new_password: String,
}

payload! {
    /// What `customerRegister` did.
    CustomerRegisterPayload {
        /// True: look into the mailbox. It is the same whether the address has an account or not.
        accepted: bool
    }
}

payload! {
    /// What `customerVerify` did.
    CustomerVerifyPayload {
        /// True: the account can be used now.
        verified: bool
    }
}

payload! {
    /// What `customerVerificationRequest` did.
    CustomerVerificationRequestPayload {
        /// True: look into the mailbox. It is the same whether the address waits for its proof or not.
        accepted: bool
    }
}

/// What `customerLogin` did.
#[derive(Debug, SimpleObject)]
pub struct CustomerLoginPayload {
    /// The tokens of the new session.
    pub tokens: Option<CustomerTokens>,
    /// Who you are.
    pub customer: Option<Customer>,
    /// The cart that yours has become with the one that you named. Its issues name what didn't fit.
    pub cart: Option<Cart>,
    /// Why the cart that you named did not join the account; you are logged in all the same.
    pub cart_errors: Vec<UserError>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

payload! {
    /// What `customerTokenRefresh` did.
    CustomerTokenRefreshPayload {
        /// New tokens; the old refresh token is used up.
        tokens: CustomerTokens
    }
}

payload! {
    /// What `customerLogout` did.
    CustomerLogoutPayload {
        /// Whether a session was ended.
        logged_out: bool
    }
}

payload! {
    /// What `customerPasswordRecover` did.
    CustomerPasswordRecoverPayload {
        /// True: look into the mailbox. It is the same whether the address has an account or not.
        accepted: bool
    }
}

payload! {
    /// What `customerPasswordReset` did.
    CustomerPasswordResetPayload {
        /// True: log in with the new password. Every session has ended.
        reset: bool
    }
}

payload! {
    /// What `customerPasswordChange` did.
    CustomerPasswordChangePayload {
        /// True: the new password counts, and your other sessions have ended.
        changed: bool
    }
}

/// Mutations of accounts.
#[derive(Debug, Default)]
pub struct AccountStoreMutation;

#[Object]
impl AccountStoreMutation {
    /// Asks for an account. What comes of it is told by mail alone: an address that has one is answered alike.
    async fn customer_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants an account.")] input: CustomerRegisterInput,
    ) -> async_graphql::Result<CustomerRegisterPayload> {
        let call = call(ctx)?;
        let wish = Registration {
            email: input.email,
            password: input.password,
            first_name: input.first_name,
            last_name: input.last_name,
            accepts_marketing: input.accepts_marketing,
            locale: input.locale.unwrap_or_else(|| call.locale.clone()),
        };
        let outcome = account::register(&call.app, &call.caller, wish).await;
        CustomerRegisterPayload::answer(outcome.map(|()| true))
    }

    /// Proves the mailbox of a new account, which can be used from then on. Orders that were bought as a guest do
    /// not join it: see `orderClaimRequest`.
    async fn customer_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof.")] input: CustomerVerifyInput,
    ) -> async_graphql::Result<CustomerVerifyPayload> {
        let call = call(ctx)?;
        let outcome = account::verify(&call.app, &call.caller, input.token, input.password).await;
        CustomerVerifyPayload::answer(outcome.map(|_| true))
    }

    /// Asks for the mail that proves the mailbox of a new account once more.
    async fn customer_verification_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which mailbox.")] input: CustomerVerificationRequestInput,
    ) -> async_graphql::Result<CustomerVerificationRequestPayload> {
        let call = call(ctx)?;
        let purpose = TokenPurpose::CustomerVerification;
        let outcome = account::request_mail(&call.app, &call.caller, &input.email, purpose).await;
        CustomerVerificationRequestPayload::answer(outcome.map(|()| true))
    }

    /// Logs a customer in. Whatever is wrong, the answer is the same. After ten tries from one place within 15
    /// minutes, or a hundred from everywhere, an address is `THROTTLED` there.
    async fn customer_login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail and password.")] input: CustomerLoginInput,
    ) -> async_graphql::Result<CustomerLoginPayload> {
        let call = call(ctx)?;
        let cart = input.cart_id.map(|id| access(&id, input.cart_token));
        let outcome = log_in(call, &input.email, input.password).await;
        let (done, user_errors) = part(outcome)?;
        let Some((tokens, caller, customer)) = done else {
            return Ok(CustomerLoginPayload {
                tokens: None,
                customer: None,
                cart: None,
                cart_errors: Vec::new(),
                user_errors,
            });
        };
        let (cart, cart_errors) = match cart {
            Some(Ok(access)) => part(call.app.run(&caller, &MergeCart { access }).await)?,
            Some(Err(error)) => part(Err(error))?,
            None => (None, Vec::new()),
        };
        let tokens = Some(tokens.into());
        let cart = cart.map(Cart::from);
        Ok(CustomerLoginPayload { tokens, customer: Some(customer), cart, cart_errors, user_errors })
    }

    /// Changes a refresh token into new tokens. Needs no other credential.
    async fn customer_token_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: CustomerTokenRefreshInput,
    ) -> async_graphql::Result<CustomerTokenRefreshPayload> {
        let call = call(ctx)?;
        let outcome = ops::refresh(&call.app, &call.caller, Surface::Store, &input.refresh_token).await;
        CustomerTokenRefreshPayload::answer(outcome.map(CustomerTokens::from))
    }

    /// Ends your session, or all of them: their tokens open nothing any more.
    async fn customer_logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions.")] input: Option<CustomerLogoutInput>,
    ) -> async_graphql::Result<CustomerLogoutPayload> {
        let call = call(ctx)?;
        let op = LogOut { everywhere: input.is_some_and(|input| input.everywhere) };
        CustomerLogoutPayload::answer(call.app.run(&call.caller, &op).await)
    }

    /// Asks for the mail with which a forgotten password is replaced.
    async fn customer_password_recover(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: CustomerPasswordRecoverInput,
    ) -> async_graphql::Result<CustomerPasswordRecoverPayload> {
        let call = call(ctx)?;
        let purpose = TokenPurpose::PasswordRecovery;
        let outcome = account::request_mail(&call.app, &call.caller, &input.email, purpose).await;
        CustomerPasswordRecoverPayload::answer(outcome.map(|()| true))
    }

    /// Sets a new password by a mailed token and ends every session.
    async fn customer_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and the new password.")] input: CustomerPasswordResetInput,
    ) -> async_graphql::Result<CustomerPasswordResetPayload> {
        let call = call(ctx)?;
        let outcome = account::reset(&call.app, &call.caller, input.token, input.password).await;
        CustomerPasswordResetPayload::answer(outcome.map(|()| true))
    }

    /// Changes your own password and ends your other sessions.
    async fn customer_password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old and the new password.")] input: CustomerPasswordChangeInput,
    ) -> async_graphql::Result<CustomerPasswordChangePayload> {
        let call = call(ctx)?;
        let outcome =
            account::change_password(&call.app, &call.caller, input.current_password, input.new_password).await;
        CustomerPasswordChangePayload::answer(outcome.map(|_| true))
    }
}

async fn log_in(call: &Call, email: &str, password: String) -> Result<(Tokens, Caller, Customer)> {
    let (tokens, actor) = account::log_in(&call.app, &call.caller, email, password).await?;
    let caller = Caller { actor, ..call.caller.clone() };
    let Actor::Customer { id, .. } = caller.actor else { return Err(Error::internal("no customer logged in")) };
    let row = repo::find(&call.conn(), id).await?;
    let row = row.ok_or_else(|| Error::internal("a customer vanished"))?;
    Ok((tokens, caller, row.into()))
}
