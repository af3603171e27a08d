//! What staff change about metafields.

use std::collections::{HashMap, HashSet};

use domain::auth::Permission;
use domain::id::{MetafieldDefinitionId, OrderId, ProductId, VariantId};
use domain::metafield::{
    DefinitionDraft, MAX_DEFINITIONS, MAX_ENTRIES, MetafieldOwnerType, MetafieldStoreAccess, Reference, Validations,
    Value, check_definition, check_value,
};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::{metafield, metafield_definition};
use serde_json::json;
use uuid::Uuid;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::check_version;

/// A definition as staff wish it, found again by owner, namespace and key.
#[derive(Debug, Clone)]
pub struct SetDefinition {
    /// On what.
    pub owner_type: MetafieldOwnerType,
    /// What it is.
    pub draft: DefinitionDraft,
    /// Who reads it besides staff.
    pub store_access: MetafieldStoreAccess,
    /// Whether shoppers may look owners up by it.
    pub filterable: bool,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for SetDefinition {
    const NAME: &'static str = "metafield_definition.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = metafield_definition::Model;

    async fn run(&self, tx: &mut Tx) -> Result<metafield_definition::Model> {
        let mut refusals = Refusals::default();
        let draft = check_definition(self.draft.clone()).map_err(|found| refusals.extend(found)).ok();
        if self.filterable && !self.draft.kind.is_indexed() {
            let message = format!("Nothing can be looked up by values of type {}.", self.draft.kind);
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["filterable"]));
        }
        refusals.into_result()?;
        let draft = draft.ok_or_else(|| Error::internal("a refusal was lost"))?;
        let known = repo::lock_named(tx, self.owner_type, &draft.namespace, &draft.key).await?;
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        match &known {
            Some(row) if row.kind != draft.kind && repo::count_values(&tx.conn, row.id).await? > 0 => {
                let message = format!("There are values of type {}: take them out before the type changes.", row.kind);
                return Err(Refusal::new(ErrorCode::InUse, message).at(["type"]).about(row.id).into());
            }
            Some(_) => {}
            None => {
                let settings = tx.settings().await?;
                if settings.metafields_of(self.owner_type, true).count() >= MAX_DEFINITIONS {
                    let message = format!("There are at most {MAX_DEFINITIONS} definitions for {}.", self.owner_type);
                    return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_DEFINITIONS as i64).into());
                }
            }
        }
        let row = metafield_definition::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            owner_type: self.owner_type,
            namespace: draft.namespace,
            key: draft.key,
            name: draft.name,
            description: draft.description,
            kind: draft.kind,
            validations: serde_json::to_value(&draft.validations).map_err(Error::internal)?,
            store_access: self.store_access,
            filterable: self.filterable,
        };
        let row = repo::save_definition(tx, row, known.is_none()).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        tx.touch_settings().await?;
        Ok(row)
    }
}

/// Takes a definition out.
#[derive(Debug, Clone)]
pub struct DeleteDefinition {
    /// Which one.
    pub id: MetafieldDefinitionId,
    /// With everything that is held under it.
    pub delete_values: bool,
}

impl Op for DeleteDefinition {
    const NAME: &'static str = "metafield_definition.delete";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = MetafieldDefinitionId;

    async fn run(&self, tx: &mut Tx) -> Result<MetafieldDefinitionId> {
        let none = || Refusal::new(ErrorCode::NotFound, "There is no such definition.").at(["id"]);
        let row = repo::lock_definition(tx, self.id).await?.ok_or_else(none)?;
        let values = repo::count_values(&tx.conn, row.id).await?;
        if values > 0 && !self.delete_values {
            let message = format!("There are {values} values of it; say deleteValues to take them out as well.");
            return Err(Refusal::new(ErrorCode::InUse, message).at(["deleteValues"]).about(row.id).into());
        }
        repo::delete_definition(tx, row.id).await?;
        tx.audit(row.id, Some(summary(&row)), None);
        tx.touch_settings().await?;
        Ok(row.id)
    }
}

fn summary(row: &metafield_definition::Model) -> serde_json::Value {
    json!({
        "owner": row.owner_type, "namespace": row.namespace, "key": row.key, "name": row.name, "type": row.kind,
        "validations": row.validations, "storeAccess": row.store_access, "filterable": row.filterable,
    })
}

/// A value that an owner shall hold.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The id of a product, a variant or an order.
    pub owner: String,
    /// The group of the key.
    pub namespace: String,
    /// The key.
    pub key: String,
    /// The value as text; nothing takes it out.
    pub value: Option<String>,
}

/// Values of any owners: all are written or none.
#[derive(Debug, Clone)]
pub struct SetMetafields {
    /// At most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
}

/// An entry that was looked at.
struct Wish {
    place: usize,
    owner: Uuid,
    definition: metafield_definition::Model,
    value: Option<Value>,
}

/// A value under its definition.
pub type Held = (metafield::Model, metafield_definition::Model);

/// The kind of owner that an id names.
fn owner_of(text: &str) -> Option<(MetafieldOwnerType, Uuid)> {
    let (prefix, uuid) = domain::id::parse(text).ok()?;
    match prefix {
        ProductId::PREFIX => Some((MetafieldOwnerType::Product, uuid)),
        VariantId::PREFIX => Some((MetafieldOwnerType::Variant, uuid)),
        OrderId::PREFIX => Some((MetafieldOwnerType::Order, uuid)),
        _ => None,
    }
}

fn at(refusal: Refusal, place: usize, field: &str) -> Refusal {
    refusal.at(["metafields".to_owned(), place.to_string(), field.to_owned()])
}

impl Op for SetMetafields {
    const NAME: &'static str = "metafield.set";
    // What is needed depends on the owners: the op asks for each of them.
    const NEEDS: Need = Need::Admin;
    type Out = Vec<Held>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Held>> {
        if self.entries.len() > MAX_ENTRIES {
            let message = format!("At most {MAX_ENTRIES} entries at once.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_ENTRIES as i64).at(["metafields"]).into());
        }
        self.authorise(tx)?;
        let mut refusals = Refusals::default();
        let wishes = self.read(tx, &mut refusals).await?;
        let products = self.owners(tx, &mut refusals).await?;
        references(tx, &wishes, &mut refusals).await?;
        refusals.into_result()?;
        let written = store(tx, wishes).await?;
        for (product, definitions) in products {
            let payload = json!({ "definitions": definitions });
            tx.emit(Aggregate::new("product", product), "product.metafields_set", payload);
        }
        Ok(written)
    }
}

impl SetMetafields {
    fn authorise(&self, tx: &Tx) -> Result<()> {
        for entry in &self.entries {
            let needed = match owner_of(&entry.owner) {
                Some((MetafieldOwnerType::Order, _)) => Permission::OrdersWrite,
                _ => Permission::CatalogWrite,
            };
            tx.actor().check(Need::Permission(needed))?;
        }
        Ok(())
    }

    /// Holds every entry against its definition.
    async fn read(&self, tx: &mut Tx, refusals: &mut Refusals) -> Result<Vec<Wish>> {
        let settings = tx.settings().await?;
        let find = |entry: &Entry| {
            let (owner_type, owner) = owner_of(&entry.owner)?;
            let mut known = settings.metafields_of(owner_type, true);
            let row = known.find(|row| row.namespace == entry.namespace && row.key == entry.key);
            Some((owner, row.map(|row| row.id)))
        };
        let ids: Vec<_> = self.entries.iter().filter_map(|entry| find(entry)?.1).collect();
        // Held, so that no definition changes or goes while its values are written.
        let held: HashMap<_, _> =
            repo::hold_definitions(tx, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
        let mut wishes = Vec::with_capacity(self.entries.len());
        let mut seen = HashSet::new();
        for (place, entry) in self.entries.iter().enumerate() {
            let Some((owner, definition)) = find(entry) else {
                let message = "This is not the id of a product, a variant or an order.";
                refusals.push(at(Refusal::new(ErrorCode::Invalid, message), place, "ownerId"));
                continue;
            };
            let Some(row) = definition.and_then(|id| held.get(&id)) else {
                let message = format!("There is no definition {}.{} for this owner.", entry.namespace, entry.key);
                refusals.push(at(Refusal::new(ErrorCode::NotFound, message), place, "key"));
                continue;
            };
            if !seen.insert((owner, row.id)) {
                refusals.push(at(Refusal::new(ErrorCode::Duplicate, "This stands here twice."), place, "key"));
                continue;
            }
            let validations: Validations = serde_json::from_value(row.validations.clone()).map_err(Error::internal)?;
            let value = entry.value.as_deref().map(|text| check_value(row.kind, &validations, text)).transpose();
            if let Some(value) = refusals.keep(value.map_err(|refusal| at(refusal, place, "value"))) {
                wishes.push(Wish { place, owner, definition: row.clone(), value });
            }
        }
        Ok(wishes)
    }

    /// Refuses owners that are not there. Answers with the products whose
    /// history tells of the change, locked, and with what changes of each.
    async fn owners(&self, tx: &mut Tx, refusals: &mut Refusals) -> Result<Vec<(ProductId, Vec<String>)>> {
        let owners: Vec<_> = self.entries.iter().map(|entry| owner_of(&entry.owner)).collect();
        let of = |wanted: MetafieldOwnerType| -> Vec<Uuid> {
            owners.iter().flatten().filter(|(kind, _)| *kind == wanted).map(|(_, id)| *id).collect()
        };
        let variants: Vec<VariantId> = of(MetafieldOwnerType::Variant).into_iter().map(VariantId).collect();
        let variants: HashMap<_, _> = match variants.is_empty() {
            true => HashMap::new(),
            false => repo::variants_there(&tx.conn, &variants).await?.into_iter().collect(),
        };
        let mut products: Vec<ProductId> = of(MetafieldOwnerType::Product).into_iter().map(ProductId).collect();
        products.extend(variants.values());
        let products: HashSet<_> = match products.is_empty() {
            true => HashSet::new(),
            false => repo::lock_products(tx, &products).await?.into_iter().collect(),
        };
        let orders: Vec<OrderId> = of(MetafieldOwnerType::Order).into_iter().map(OrderId).collect();
        let orders: HashSet<_> = match orders.is_empty() {
            true => HashSet::new(),
            false => {
                let reach = crate::scope::channels(tx.actor(), Permission::OrdersWrite);
                repo::orders_there(&tx.conn, &orders, &reach).await?.into_iter().collect()
            }
        };
        let mut changed: Vec<(ProductId, Vec<String>)> = Vec::new();
        for (place, owner) in owners.iter().enumerate() {
            let Some((kind, id)) = owner else { continue };
            let product = match kind {
                MetafieldOwnerType::Product => Some(ProductId(*id)),
                MetafieldOwnerType::Variant => variants.get(&VariantId(*id)).copied(),
                MetafieldOwnerType::Order => None,
            };
            let there = match (kind, product) {
                (MetafieldOwnerType::Order, _) => orders.contains(&OrderId(*id)),
                (_, product) => product.is_some_and(|product| products.contains(&product)),
            };
            if !there {
                refusals.push(at(Refusal::new(ErrorCode::NotFound, "This owner doesn't exist."), place, "ownerId"));
            }
            let Some(product) = product else { continue };
            let key = format!("{}.{}", self.entries[place].namespace, self.entries[place].key);
            match changed.iter_mut().find(|(known, _)| *known == product) {
                Some((_, keys)) => keys.push(key),
                None => changed.push((product, vec![key])),
            }
        }
        Ok(changed)
    }
}

/// Refuses references to what is not there.
async fn references(tx: &Tx, wishes: &[Wish], refusals: &mut Refusals) -> Result<()> {
    let named: Vec<(usize, Reference)> = wishes
        .iter()
        .flat_map(|wish| wish.value.iter().flat_map(Value::references).map(|reference| (wish.place, reference)))
        .collect();
    let (mut products, mut variants, mut media) = (Vec::new(), Vec::new(), Vec::new());
    for (_, reference) in &named {
        match reference {
            Reference::Product(id) => products.push(*id),
            Reference::Variant(id) => variants.push(*id),
            Reference::File(id) => media.push(*id),
        }
    }
    let mut there: HashSet<Reference> = HashSet::new();
    if !products.is_empty() {
        there.extend(repo::products_there(&tx.conn, &products).await?.into_iter().map(Reference::Product));
    }
    if !variants.is_empty() {
        let found = repo::variants_there(&tx.conn, &variants).await?;
        there.extend(found.into_iter().map(|(id, _)| Reference::Variant(id)));
    }
    if !media.is_empty() {
        there.extend(repo::media_there(&tx.conn, &media).await?.into_iter().map(Reference::File));
    }
    let mut told = HashSet::new();
    for (place, reference) in named {
        if !there.contains(&reference) && told.insert(place) {
            let refusal = Refusal::new(ErrorCode::NotFound, "There is nothing with the id that is named here.");
            refusals.push(at(refusal, place, "value"));
        }
    }
    Ok(())
}

/// Writes and takes out; answers with what is there now, in the order of the wishes.
async fn store(tx: &mut Tx, wishes: Vec<Wish>) -> Result<Vec<Held>> {
    let owners: Vec<Uuid> = wishes.iter().map(|wish| wish.owner).collect();
    let definitions: Vec<_> = wishes.iter().map(|wish| wish.definition.id).collect();
    let before = repo::values_of(&tx.conn, &owners, &definitions).await?;
    let mut before: HashMap<_, _> = before.into_iter().map(|row| ((row.owner_id, row.definition_id), row)).collect();
    let (mut gone, mut rows, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for wish in wishes {
        let place = (wish.owner, wish.definition.id);
        let known = before.remove(&place);
        let was = known.as_ref().map(|row| json!({ "owner": wish.owner, "value": row.value }));
        match wish.value {
            Some(value) => {
                let row = metafield::Model {
                    id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
                    created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
                    updated_at: tx.now(),
                    definition_id: wish.definition.id,
                    owner_id: wish.owner,
                    value: value.to_string(),
                };
                tx.audit(row.id, was, Some(json!({ "owner": wish.owner, "value": row.value })));
                written.push((row.clone(), wish.definition));
                rows.push((row, value.keys()));
            }
            None => {
                if let Some(row) = known {
                    tx.audit(row.id, was, None);
                    gone.push(place);
                }
            }
        }
    }
    repo::delete_values(tx, &gone).await?;
    repo::save_values(tx, rows).await?;
    Ok(written)
}
