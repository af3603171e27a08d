//! Groups of customers.

use domain::auth::Permission;
use domain::customer::{MAX_GROUPS, MAX_MEMBERS_AT_ONCE};
use domain::id::{CustomerGroupId, CustomerId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Handle, title};
use entity::customer_group;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::check_version;

fn aggregate(id: CustomerGroupId) -> Aggregate {
    Aggregate::new("customer_group", id)
}

fn no_group() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such group.").at(["id"])
}

/// Who comes into a group and who leaves it.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// Who comes in; who is in stays.
    pub add: Vec<CustomerId>,
    /// Who leaves; who is not in stays out.
    pub remove: Vec<CustomerId>,
}

impl Members {
    async fn check(&self, tx: &Tx, names: [&str; 2], refusals: &mut Refusals) -> Result<()> {
        for (list, name) in [(&self.add, names[0]), (&self.remove, names[1])] {
            if list.len() > MAX_MEMBERS_AT_ONCE {
                let message = format!("At most {MAX_MEMBERS_AT_ONCE} customers at once.");
                refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_MEMBERS_AT_ONCE as i64).at([name]));
            }
        }
        let known = repo::by_ids(&tx.conn, &self.add).await?;
        for (place, id) in self.add.iter().enumerate() {
            if !known.iter().any(|row| row.id == *id) {
                let refusal = Refusal::new(ErrorCode::NotFound, "There is no such customer.").about(id);
                refusals.push(refusal.at([names[0].to_owned(), place.to_string()]));
            }
            if self.remove.contains(id) {
                let message = "A customer can't come into the group and leave it at once.";
                refusals.push(Refusal::new(ErrorCode::Duplicate, message).about(id).at([names[1]]));
            }
        }
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, group: CustomerGroupId) -> Result<()> {
        repo::add_members(tx, group, &self.add).await?;
        repo::remove_members(tx, group, &self.remove).await
    }

    fn audit(&self) -> serde_json::Value {
        let text = |ids: &[CustomerId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        json!({ "added": text(&self.add), "removed": text(&self.remove) })
    }
}

/// Makes a group, or changes the one with this handle.
#[derive(Debug, Clone)]
pub struct SetGroup {
    /// Which group; made from the name when absent.
    pub handle: Option<String>,
    /// What staff call it.
    pub name: String,
    /// The version that the caller saw.
    pub expected_version: Option<i32>,
    /// Whether its members owe no tax; as it was when absent.
    pub tax_exempt: Option<bool>,
    /// Who comes and leaves.
    pub members: Members,
}

impl Op for SetGroup {
    const NAME: &'static str = "customer_group.set";
    const NEEDS: Need = Need::Permission(Permission::CustomersWrite);
    type Out = customer_group::Model;

    async fn run(&self, tx: &mut Tx) -> Result<customer_group::Model> {
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        self.members.check(tx, ["add", "remove"], &mut refusals).await?;
        let known = match &handle {
            Some(handle) => repo::lock_group_named(tx, handle).await?,
            None => None,
        };
        if let Some(row) = &known {
            refusals.keep(check_version(self.expected_version, row.version));
        } else if repo::count_groups(&tx.conn).await? >= MAX_GROUPS as u64 {
            let message = format!("A shop has at most {MAX_GROUPS} groups.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_GROUPS as i64));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        let summary = |row: &customer_group::Model| json!({ "name": row.name, "taxExempt": row.tax_exempt });
        let before = known.as_ref().map(summary);
        let row = match known {
            Some(row) => {
                let tax_exempt = self.tax_exempt.unwrap_or(row.tax_exempt);
                let (version, updated_at) = (row.version + 1, tx.now());
                let row = customer_group::Model { name, tax_exempt, version, updated_at, ..row };
                repo::update_group(tx, row).await?
            }
            None => {
                let row = customer_group::Model {
                    id: tx.id(),
                    version: 1,
                    created_at: tx.now(),
                    updated_at: tx.now(),
                    deleted_at: None,
                    handle,
                    name,
                    tax_exempt: self.tax_exempt.unwrap_or_default(),
                };
                repo::insert_group(tx, row).await?
            }
        };
        self.members.apply(tx, row.id).await?;
        tx.emit(aggregate(row.id), "customer_group.changed", json!({}));
        let mut after = summary(&row);
        after["members"] = self.members.audit();
        tx.audit(row.id, before, Some(after));
        Ok(row)
    }
}

/// Lets customers into a group and out of it.
#[derive(Debug, Clone)]
pub struct ChangeMembers {
    /// Which group.
    pub group: CustomerGroupId,
    /// Who comes and leaves.
    pub members: Members,
}

impl Op for ChangeMembers {
    const NAME: &'static str = "customer_group.change_members";
    const NEEDS: Need = Need::Permission(Permission::CustomersWrite);
    type Out = customer_group::Model;

    async fn run(&self, tx: &mut Tx) -> Result<customer_group::Model> {
        let row = repo::lock_group(tx, self.group).await?;
        let mut refusals = Refusals::default();
        self.members.check(tx, ["customerIds", "customerIds"], &mut refusals).await?;
        if row.is_none() {
            refusals.push(no_group());
        }
        refusals.into_result()?;
        let row = row.ok_or_else(|| Error::internal("a refusal was lost"))?;
        let row = customer_group::Model { version: row.version + 1, updated_at: tx.now(), ..row };
        let row = repo::update_group(tx, row).await?;
        self.members.apply(tx, row.id).await?;
        tx.emit(aggregate(row.id), "customer_group.changed", json!({}));
        tx.audit(row.id, None, Some(self.members.audit()));
        Ok(row)
    }
}

/// Deletes a group; its members stay customers.
#[derive(Debug, Clone, Copy)]
pub struct DeleteGroup {
    /// Which group.
    pub group: CustomerGroupId,
    /// The version that the caller saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteGroup {
    const NAME: &'static str = "customer_group.delete";
    const NEEDS: Need = Need::Permission(Permission::CustomersWrite);
    type Out = CustomerGroupId;

    async fn run(&self, tx: &mut Tx) -> Result<CustomerGroupId> {
        let row = repo::lock_group(tx, self.group).await?.ok_or_else(no_group)?;
        check_version(self.expected_version, row.version)?;
        let before = json!({ "name": row.name });
        let row =
            customer_group::Model { version: row.version + 1, updated_at: tx.now(), deleted_at: Some(tx.now()), ..row };
        let row = repo::update_group(tx, row).await?;
        repo::empty_group(tx, row.id).await?;
        tx.emit(aggregate(row.id), "customer_group.deleted", json!({}));
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}
