//! Mail to staff that is wanted, and the tokens that go into it.

use domain::auth::TokenPurpose;
use domain::id::StaffId;
use domain::text::Email;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::auth::one_time;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};

/// What kind of mail a member of staff is sent.
pub mod template {
    /// To accept an invitation with a password.
    pub const INVITATION: &str = "staff.invitation";
    /// To set a new password.
    pub const RECOVERY: &str = "staff.recovery";
}

/// Asks for a mail to a member of staff, who must be locked or new.
pub(super) fn request(tx: &mut Tx, staff: StaffId, template: &str) {
    let payload = json!({ "template": template, "staffId": staff.to_string() });
    tx.emit(Aggregate::new("staff", staff), "staff.mail_requested", payload);
}

/// A token and the mailbox that it is for.
#[derive(Debug, Clone)]
pub struct Mailed {
    /// Where the mail goes.
    pub to: Email,
    /// What to call the person.
    pub name: String,
    /// The token: it goes into the mail and is kept nowhere.
    pub secret: String,
}

/// Issues the token of a mail that is about to be sent; the older one of its
/// kind ends. Answers with nothing when the mail has become pointless.
#[derive(Debug, Clone, Copy)]
pub struct IssueToken {
    /// What it is for: an invitation or a recovery.
    pub purpose: TokenPurpose,
    /// Whom it is for.
    pub staff: StaffId,
}

impl Op for IssueToken {
    const NAME: &'static str = "staff.issue_token";
    const NEEDS: Need = Need::System;
    type Out = Option<Mailed>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Mailed>> {
        // Somebody may have taken the invitation back before the mail was sent.
        let Some(row) = repo::lock(tx, self.staff).await?.filter(|row| row.active) else { return Ok(None) };
        let wanted = match self.purpose {
            TokenPurpose::StaffInvitation => row.joined_at.is_none(),
            TokenPurpose::StaffRecovery => row.joined_at.is_some(),
            _ => return Err(Error::internal("staff are sent no token for this")),
        };
        if !wanted {
            return Ok(None);
        }
        let (to, life) = (row.email, one_time::life(self.purpose));
        let secret = one_time::issue(tx, self.purpose, row.id.into(), Some(to.to_string()), life).await?;
        Ok(Some(Mailed { to, name: row.name, secret }))
    }
}
