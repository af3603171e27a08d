//! `emporion staff` and `emporion key`: access from the terminal.

use clap::{ArgGroup, Args, Subcommand};
use domain::auth::{OWNER, VIEWER};
use domain::refusal::{ErrorCode, Refusal};

use super::Place;
use super::open::open_shop;
use super::setup::create_staff;
use engine::actor::Caller;
use engine::app::App;
use engine::auth::keys::CreateApiKey;
use engine::auth::ops::ResetPassword;
use engine::auth::{API_KEY_PREFIX, password, repo as identities, token};
use engine::channel::ops::CreatePublishableKey;
use engine::error::Result;
use engine::page::{ADMIN_MAX, Page, PageArgs};
use engine::staff::repo;

/// Gives people access.
#[derive(Debug, Args)]
pub struct Staff {
    #[command(subcommand)]
    action: StaffAction,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum StaffAction {
    /// Make a member of staff and print his password once.
    Create {
        /// The e-mail to log in with.
        #[arg(long)]
        email: String,
        /// What to call him.
        #[arg(long)]
        name: String,
        /// `owner` may do everything, `viewer` may look; or a role that staff made.
        #[arg(long, default_value = OWNER)]
        role: String,
    },
    /// Show everybody with access: e-mail, name, whether active, roles.
    List,
    /// Give a member of staff a new password, print it once, and end his sessions.
    ResetPassword {
        /// His e-mail.
        email: String,
        /// Remove his second factor too.
        #[arg(long)]
        reset_second_factor: bool,
    },
}

impl Staff {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let app = open_shop(&self.place).await?;
        match self.action {
            StaffAction::Create { email, name, role } => {
                let secret = create_staff(&app, &email, &name, &role).await?;
                println!("{email} can log in with the password {secret}");
                println!("It is shown this once; staffPasswordChange changes it.");
            }
            StaffAction::List => list(&app).await?,
            StaffAction::ResetPassword { email, reset_second_factor } => {
                let address = email.parse().map_err(|refusal: Refusal| refusal.at(["email"]))?;
                let row = identities::find_staff_by_email(&app.read(), &address).await?.ok_or_else(|| {
                    Refusal::new(ErrorCode::NotFound, "Nobody of the staff has this e-mail; see emporion staff list.")
                        .at(["email"])
                })?;
                let secret = token::random_token("");
                let secret_hash = password::hash(secret.clone()).await?;
                let op = ResetPassword { staff: row.id, secret_hash, reset_second_factor };
                app.run(&Caller::system(), &op).await?;
                println!("{} can log in with the password {secret}", row.email);
                println!("It is shown this once; staffPasswordChange changes it. Every session has ended.");
            }
        }
        app.db.close().await;
        Ok(())
    }
}

async fn list(app: &App) -> Result<()> {
    let conn = app.read();
    let mut after = None;
    loop {
        let args = PageArgs { first: Some(ADMIN_MAX), after, ..PageArgs::default() };
        let rows = repo::page(&conn, None, Page::read(args, ADMIN_MAX, false, &"staff")?, false).await?;
        let ids: Vec<_> = rows.rows.iter().map(|(row, _)| row.id).collect();
        let roles = repo::roles_of(&conn, &ids).await?;
        for (row, _) in &rows.rows {
            let own: Vec<&str> =
                roles.iter().filter(|(staff, _)| *staff == row.id).map(|(_, role)| role.name.as_str()).collect();
            let active = if row.active { "active" } else { "locked" };
            println!("{}\t{}\t{active}\t{}", row.email, row.name, own.join(", "));
        }
        match rows.rows.last() {
            Some((_, place)) if rows.has_next => after = Some(rows.cursor(place)),
            _ => return Ok(()),
        }
    }
}

/// Gives programs access.
#[derive(Debug, Args)]
pub struct Key {
    #[command(subcommand)]
    action: KeyAction,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum KeyAction {
    /// Make a key and print it. A secret one is shown this once.
    #[command(group(ArgGroup::new("kind").required(true).args(["publishable", "secret"])))]
    Create {
        /// A key that names a channel to the store surface; it is no secret.
        #[arg(long)]
        publishable: bool,
        /// A secret key for the admin surface.
        #[arg(long)]
        secret: bool,
        /// What staff call it.
        #[arg(long)]
        title: String,
        /// The handle of the channel of a publishable key; the oldest active one when absent.
        #[arg(long, conflicts_with = "secret")]
        channel: Option<String>,
        /// The role of a secret key.
        #[arg(long, default_value = VIEWER, conflicts_with = "publishable")]
        role: String,
    },
}

impl Key {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let KeyAction::Create { publishable, title, channel, role, .. } = self.action;
        let app = open_shop(&self.place).await?;
        if publishable {
            let settings = app.settings();
            let channel = match &channel {
                Some(handle) => settings
                    .channels
                    .iter()
                    .find(|channel| channel.handle.as_str() == handle)
                    .ok_or_else(|| Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(["channel"]))?,
                None => settings.default_channel()?,
            };
            let token = token::random_token(engine::channel::KEY_PREFIX);
            let op = CreatePublishableKey { title, channel: channel.id, token };
            let row = app.run(&Caller::system(), &op).await?;
            println!("{}", row.token);
        } else {
            let op = CreateApiKey { title, role, secret: token::random_token(API_KEY_PREFIX) };
            app.run(&Caller::system(), &op).await?;
            println!("{}", op.secret);
        }
        app.db.close().await;
        Ok(())
    }
}
