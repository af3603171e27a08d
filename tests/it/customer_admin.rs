//! Customers and groups as staff see them.

use domain::auth::{TokenPurpose, VIEWER};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::faults;
use crate::support::customers::PASSWORD;

const SELECT: &str = "customer { id version email firstName hasAccount verifiedAt }";

async fn create(shop: &Shop, input: Value) -> Value {
    shop.set("customerCreate", input, SELECT).await.done()["customer"].clone()
}

async fn emails(shop: &Shop, filter: Value, sort: Value) -> Vec<String> {
    let query = "query($filter: AdminCustomerFilter, $sort: [AdminCustomerSort!]) {
        customers(filter: $filter, sort: $sort) { totalCount nodes { email } } }";
    let answer = shop.admin.send(query, json!({ "filter": filter, "sort": sort })).await;
    let nodes = answer.at("customers.nodes");
    let found: Vec<_> =
        nodes.as_array().unwrap().iter().map(|node| node["email"].as_str().unwrap().to_owned()).collect();
    assert_eq!(answer.at("customers.totalCount"), found.len());
    found
}

#[tokio::test]
async fn staff_find_customers_by_what_they_are() {
    let shop = Shop::open().await;
    let a = create(&shop, json!({ "email": "a@x.example", "firstName": "Grace", "lastName": "Hopper" })).await;
    let b = create(&shop, json!({ "email": "b@x.example", "account": true, "acceptsMarketing": true })).await;
    create(&shop, json!({ "email": "c_d@x.example", "phone": "0815" })).await;
    assert_eq!((&a["hasAccount"], &b["hasAccount"], &b["verifiedAt"]), (&json!(false), &json!(true), &json!(null)));
    let newest = ["c_d@x.example", "b@x.example", "a@x.example"];
    assert_eq!(emails(&shop, json!({}), json!([])).await, newest);
    let by_email = json!([{ "field": "EMAIL", "direction": "ASC" }]);
    assert_eq!(emails(&shop, json!({}), by_email.clone()).await, ["a@x.example", "b@x.example", "c_d@x.example"]);
    assert_eq!(emails(&shop, json!({ "text": "HOPPER grace" }), json!([])).await, ["a@x.example"]);
    assert_eq!(emails(&shop, json!({ "text": "_" }), json!([])).await, ["c_d@x.example"], "no wildcard");
    assert_eq!(emails(&shop, json!({ "email": "B@x.example" }), json!([])).await, ["b@x.example"]);
    assert_eq!(emails(&shop, json!({ "hasAccount": false }), by_email).await, ["a@x.example", "c_d@x.example"]);
    assert_eq!(emails(&shop, json!({ "acceptsMarketing": true }), json!([])).await, ["b@x.example"]);
    let future = json!({ "createdFrom": shop.app.clock.now() + chrono::TimeDelta::minutes(1) });
    assert_eq!(emails(&shop, future, json!([])).await, [""; 0]);

    let by = "query($by: AdminCustomerBy!) { customer(by: $by) { id addresses { id } groups { id } orders { id } } }";
    let found = shop.admin.send(by, json!({ "by": { "email": "A@x.example" } })).await;
    assert_eq!(found.at("customer.id"), a["id"]);
    assert_eq!(shop.admin.send(by, json!({ "by": { "id": b["id"] } })).await.at("customer.id"), b["id"]);
    assert_eq!(shop.admin.send(by, json!({ "by": { "id": "nonsense" } })).await.at("customer"), json!(null));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(shop.admin.send(node, json!({ "id": a["id"] })).await.at("node.id"), a["id"]);
}

#[tokio::test]
async fn a_list_of_customers_takes_as_many_statements_whatever_its_length() {
    let shop = Shop::open().await;
    let query = "{ customers { nodes { id addresses { id } groups { id memberCount } orders { id } } } }";
    let mut counts = Vec::new();
    for number in 0..4 {
        let made = create(&shop, json!({ "email": format!("{number}@x.example") })).await;
        let group = json!({ "name": "Friends", "add": [made["id"]] });
        shop.set("customerGroupSet", group, "group { id }").await.done();
        let answer = shop.admin.send(query, json!({})).await;
        assert_eq!(answer.at("customers.nodes.0.groups.0.memberCount"), number + 1);
        counts.push(answer.statements);
    }
    assert_eq!(counts, [6; 4], "session, page, addresses, groups, members, orders");
}

#[tokio::test]
async fn staff_change_customers_and_the_log_keeps_no_names() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@x.example").await;
    shop.customer("bob@x.example").await;
    let id = ada.id.to_string();
    let wrong = json!({ "id": id, "expectedVersion": 99, "email": "bob@x.example", "locale": "german" });
    let refused = shop.set("customerUpdate", wrong, SELECT).await;
    assert_eq!(faults(&refused), ["CONFLICT expectedVersion", "TAKEN email", "INVALID locale"]);
    let change = json!({ "id": id, "firstName": "Adamarker", "email": "moved@x.example" });
    let changed = shop.set("customerUpdate", change, SELECT).await.done();
    assert_eq!(changed["customer"]["email"], "moved@x.example");
    assert_eq!(shop.mail_for(ada.id.into()).await.last().unwrap(), "customer.email_changed");
    shop.log_in("moved@x.example", PASSWORD).await.done();
    assert_eq!(shop.log_in("ada@x.example", PASSWORD).await.refusals(), ["CREDENTIALS_INVALID"]);

    let audit = engine_audit(&shop, &id).await;
    assert!(audit.contains("firstName") && audit.contains("email"), "{audit}");
    assert!(!audit.contains("Adamarker") && !audit.contains("moved@x"), "{audit}");

    let open = shop.again("moved@x.example", PASSWORD).await;
    shop.set("customerSessionsRevoke", json!({ "id": id }), "customer { id }").await.done();
    for client in [&ada.client, &open.client] {
        assert_eq!(client.send("{ customer { id } }", json!({})).await.status, 401);
    }
    let missing = shop.set("customerUpdate", json!({ "id": "cust_00000000000000000000000000" }), SELECT).await;
    assert_eq!(faults(&missing), ["NOT_FOUND id"]);

    shop.set("customerErase", json!({ "id": id }), "erasedId").await.done();
    assert_eq!(faults(&shop.set("customerErase", json!({ "id": id }), "erasedId").await), ["NOT_FOUND id"]);
    assert_eq!(emails(&shop, json!({}), json!([])).await, ["bob@x.example"]);
    assert!(!engine_audit(&shop, &id).await.contains("firstName"));
}

async fn engine_audit(shop: &Shop, entity: &str) -> String {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let find = entity::audit_entry::Entity::find().filter(entity::audit_entry::Column::Entity.eq(entity));
    format!("{:?}", find.all(&shop.app.read()).await.unwrap())
}

#[tokio::test]
async fn an_account_made_by_staff_gets_its_password_by_mail() {
    let shop = Shop::open().await;
    create(&shop, json!({ "email": "new@x.example", "account": true })).await;
    let twice = shop.set("customerCreate", json!({ "email": "NEW@x.example", "account": true }), SELECT).await;
    assert_eq!(faults(&twice), ["TAKEN email"]);
    let bad = shop.set("customerCreate", json!({ "email": "new", "firstName": "a\tb" }), SELECT).await;
    assert_eq!(faults(&bad), ["INVALID email", "INVALID firstName"]);
    let id = shop.account_id("new@x.example").await;
    assert_eq!(shop.mail_for(id.into()).await, ["customer.verification"]);
    let token = shop.mailed(TokenPurpose::CustomerVerification, id).await;
    let bare = shop.guest("customerVerify", json!({ "token": token }), "verified").await;
    assert_eq!(faults(&bare), ["REQUIRED password"]);
    shop.guest("customerVerify", json!({ "token": token, "password": PASSWORD }), "verified").await.done();
    shop.log_in("new@x.example", PASSWORD).await.done();
}

#[tokio::test]
async fn groups_gather_customers() {
    let shop = Shop::open().await;
    let a = create(&shop, json!({ "email": "a@x.example" })).await["id"].clone();
    let b = create(&shop, json!({ "email": "b@x.example" })).await["id"].clone();
    let select = "group { id handle name version memberCount }";
    let set = json!({ "name": "Very Good", "add": [a, b, a] });
    let group = shop.set("customerGroupSet", set, select).await.done()["group"].clone();
    assert_eq!((&group["handle"], &group["memberCount"]), (&json!("very-good"), &json!(2)));
    assert_eq!(emails(&shop, json!({ "groupId": group["id"] }), json!([])).await.len(), 2);
    let change = json!({ "handle": "very-good", "name": "Best", "remove": [a], "expectedVersion": 1 });
    let changed = shop.set("customerGroupSet", change.clone(), select).await.done()["group"].clone();
    assert_eq!((&changed["id"], &changed["name"], &changed["memberCount"]), (&group["id"], &json!("Best"), &json!(1)));
    assert_eq!(faults(&shop.set("customerGroupSet", change, select).await), ["CONFLICT expectedVersion"]);
    let bad = json!({ "name": " ", "add": ["cust_00000000000000000000000000", b], "remove": [b] });
    let refused = faults(&shop.set("customerGroupSet", bad, select).await);
    assert_eq!(refused, ["REQUIRED name", "REQUIRED handle", "NOT_FOUND add.0", "DUPLICATE remove"]);

    let members = json!({ "id": group["id"], "customerIds": [a] });
    let added = shop.set("customerGroupMembersAdd", members.clone(), select).await.done();
    assert_eq!(added["group"]["memberCount"], 2);
    let removed = shop.set("customerGroupMembersRemove", members.clone(), select).await.done();
    assert_eq!(removed["group"]["memberCount"], 1);
    let many: Vec<_> = (0..251).map(|_| a.clone()).collect();
    let many = json!({ "id": group["id"], "customerIds": many });
    assert_eq!(faults(&shop.set("customerGroupMembersAdd", many, select).await), ["TOO_MANY customerIds"]);

    let viewer = shop.staff(VIEWER).await;
    assert_eq!(viewer.send("{ customerGroups { name } }", json!({})).await.at("customerGroups.0.name"), "Best");
    let write = "mutation($id: ID!) { customerGroupDelete(input: { id: $id }) { deletedId userErrors { code } } }";
    assert_eq!(viewer.send(write, json!({ "id": group["id"] })).await.error_code(), "FORBIDDEN");
    shop.set("customerGroupDelete", json!({ "id": group["id"] }), "deletedId").await.done();
    assert_eq!(shop.admin.send("{ customerGroups { id } }", json!({})).await.at("customerGroups"), json!([]));
    assert_eq!(faults(&shop.set("customerGroupMembersAdd", members, select).await), ["NOT_FOUND id"]);
    assert_eq!(emails(&shop, json!({}), json!([])).await.len(), 2, "members stay customers");
}
