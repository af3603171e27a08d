//! Customers as staff list them.

use chrono::{DateTime, Utc};
use domain::id::CustomerGroupId;
use domain::text::Email;
use entity::{customer, customer_group_member};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::db::{Conn, page_of, text_contains};
use crate::error::Result;
use crate::page::{Key, Page, Place, Rows};

/// What customers must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    /// Every word of it stands in e-mail, names or telephone number.
    pub text: Option<String>,
    /// With this e-mail.
    pub email: Option<Email>,
    /// With an account, or without.
    pub has_account: Option<bool>,
    /// Who wants to be sent news, or doesn't.
    pub accepts_marketing: Option<bool>,
    /// In this group.
    pub group: Option<CustomerGroupId>,
    /// Known since this moment or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Known since before this moment.
    pub created_before: Option<DateTime<Utc>>,
}

impl CustomerFilter {
    fn condition(&self) -> Condition {
        use customer::Column;
        let words = self.text.as_deref().unwrap_or_default().split_whitespace();
        let members = self.group.map(|group| {
            let mut members = Query::select();
            members
                .column(customer_group_member::Column::CustomerId)
                .from(customer_group_member::Entity)
                .and_where(customer_group_member::Column::GroupId.eq(group));
            Column::Id.in_subquery(members)
        });
        let narrow = Condition::all()
            .add(Column::DeletedAt.is_null())
            .add_option(self.email.as_ref().map(|email| Column::Email.eq(email.clone())))
            .add_option(self.has_account.map(|has| Column::HasAccount.eq(has)))
            .add_option(self.accepts_marketing.map(|accepts| Column::AcceptsMarketing.eq(accepts)))
            .add_option(members)
            .add_option(self.created_from.map(|from| Column::CreatedAt.gte(from)))
            .add_option(self.created_before.map(|before| Column::CreatedAt.lt(before)));
        words.fold(narrow, |narrow, word| narrow.add(text_contains(Column::SearchText, word)))
    }
}

/// What a list of customers may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// Since when they are known.
    CreatedAt,
    /// Their e-mail.
    Email,
}

/// A page of customers.
pub async fn page(
    conn: &Conn,
    filter: &CustomerFilter,
    sort: SortKey,
    page: Page,
    count: bool,
) -> Result<Rows<customer::Model>> {
    let column = match sort {
        SortKey::CreatedAt => customer::Column::CreatedAt,
        SortKey::Email => customer::Column::Email,
    };
    let place = |row: &customer::Model| {
        let key = match sort {
            SortKey::CreatedAt => Key::Time(row.created_at),
            SortKey::Email => Key::Text(row.email.to_string()),
        };
        Place { key, id: Uuid::from(row.id) }
    };
    let find = customer::Entity::find().filter(filter.condition());
    Ok(page_of(conn, find, (column, customer::Column::Id), page, count, place).await?)
}
