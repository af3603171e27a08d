//! Staff, roles, keys, sessions and the audit log.

use chrono::TimeDelta;
use domain::auth::{OWNER, VIEWER};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{faults, mutate};
use crate::support::client::{Answer, Client};

const ROLE: &str = "role { id version name permissions builtIn }";
const STAFF: &str = "staff { id version name active roles { name } }";

async fn role(shop: &Shop, name: &str, permissions: &[&str]) -> Value {
    let input = json!({ "name": name, "permissions": permissions });
    shop.set("roleSet", input, ROLE).await.done()["role"].clone()
}

async fn id_of(client: &Client) -> Value {
    client.send("{ me { id } }", json!({})).await.at("me.id")
}

async fn admin(client: &Client, mutation: &str, input: Value, selection: &str) -> Answer {
    mutate(client, "Admin", mutation, input, selection).await
}

#[tokio::test]
async fn a_role_grants_what_it_says_from_the_next_request_on() {
    let shop = Shop::open().await;
    let made = role(&shop, "Buyer", &["CATALOG_READ", "CATALOG_WRITE", "CATALOG_READ"]).await;
    assert_eq!(made["permissions"], json!(["CATALOG_READ", "CATALOG_WRITE"]));
    assert_eq!((&made["version"], &made["builtIn"]), (&json!(1), &json!(false)));
    let buyer = shop.staff("Buyer").await;
    let products = "{ products { nodes { id } } }";
    assert_eq!(buyer.send(products, json!({})).await.at("products.nodes"), json!([]));
    assert_eq!(buyer.send("{ channels { id } }", json!({})).await.error_code(), "FORBIDDEN");

    let input = json!({ "id": made["id"], "name": "Desk", "permissions": ["SETTINGS_READ"], "expectedVersion": 1 });
    let changed = shop.set("roleSet", input.clone(), ROLE).await.done()["role"].clone();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Desk"), &json!(2)));
    assert_eq!(buyer.send(products, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(buyer.send("{ channels { handle } }", json!({})).await.at("channels.0.handle"), "default");
    assert_eq!(shop.set("roleSet", input, ROLE).await.refusals(), ["CONFLICT"]);
    let again = role(&shop, "Desk", &["SETTINGS_READ", "ORDERS_READ"]).await;
    assert_eq!((&again["id"], &again["version"]), (&made["id"], &json!(3)), "found by its name");
}

#[tokio::test]
async fn the_roles_of_every_shop_stay_as_they_are() {
    let shop = Shop::open().await;
    let roles = shop.admin.send("{ roles { id name builtIn permissions } }", json!({})).await;
    let names: Vec<String> = (0..2).map(|place| roles.text(&format!("roles.{place}.name"))).collect();
    assert_eq!(names, [OWNER, VIEWER]);
    assert_eq!(roles.statements, 2, "one for the session, one for the roles");
    let viewer = &roles.at("roles.1.id");
    for input in [
        json!({ "name": "owner", "permissions": ["CATALOG_READ"] }),
        json!({ "id": viewer, "name": "Watcher", "permissions": ["CATALOG_READ"] }),
        json!({ "name": "viewer", "permissions": ["CATALOG_READ"] }),
    ] {
        assert_eq!(faults(&shop.set("roleSet", input, ROLE).await), ["IN_USE name"]);
    }
    let gone = shop.set("roleDelete", json!({ "id": viewer }), "deletedId").await;
    assert_eq!(faults(&gone), ["IN_USE id"]);
}

#[tokio::test]
async fn everything_wrong_with_a_role_is_said_at_once() {
    let shop = Shop::open().await;
    let refused = shop.set("roleSet", json!({ "name": " ", "permissions": [] }), ROLE).await;
    assert_eq!(faults(&refused), ["REQUIRED name", "REQUIRED permissions"]);
    let first = role(&shop, "First", &["CATALOG_READ"]).await;
    role(&shop, "Second", &["CATALOG_READ"]).await;
    let renamed = json!({ "id": first["id"], "name": "Second", "permissions": ["CATALOG_READ"] });
    assert_eq!(faults(&shop.set("roleSet", renamed, ROLE).await), ["TAKEN name"]);
    let unknown = json!({ "id": "role_00000000000000000000000000", "name": "X", "permissions": ["CATALOG_READ"] });
    assert_eq!(shop.set("roleSet", unknown, ROLE).await.refusals(), ["NOT_FOUND"]);
}

#[tokio::test]
async fn nobody_grants_or_takes_what_he_does_not_hold() {
    let shop = Shop::open().await;
    role(&shop, "Access", &["ACCESS_READ", "ACCESS_WRITE", "CATALOG_READ"]).await;
    let strong = role(&shop, "Strong", &["PAYMENTS_WRITE"]).await;
    let lesser = shop.staff("Access").await;
    let colleague = id_of(&shop.staff("Strong").await).await;
    let own = admin(&lesser, "roleSet", json!({ "name": "Look", "permissions": ["CATALOG_READ"] }), ROLE).await;
    let look = own.done()["role"]["id"].clone();

    let beyond = json!({ "name": "Cash", "permissions": ["PAYMENTS_WRITE"] });
    assert_eq!(faults(&admin(&lesser, "roleSet", beyond, ROLE).await), ["GRANT_EXCEEDS_OWN permissions"]);
    let weaken = json!({ "id": strong["id"], "name": "Strong", "permissions": ["CATALOG_READ"] });
    assert_eq!(faults(&admin(&lesser, "roleSet", weaken, ROLE).await), ["GRANT_EXCEEDS_OWN permissions"]);
    assert_eq!(
        faults(&admin(&lesser, "roleDelete", json!({ "id": strong["id"] }), "deletedId").await),
        ["GRANT_EXCEEDS_OWN id", "IN_USE id"]
    );
    let promote = json!({ "id": id_of(&lesser).await, "roleIds": [strong["id"]] });
    assert_eq!(faults(&admin(&lesser, "staffUpdate", promote, STAFF).await), ["GRANT_EXCEEDS_OWN roleIds"]);
    let lock_out = json!({ "id": colleague, "active": false });
    assert_eq!(faults(&admin(&lesser, "staffUpdate", lock_out, STAFF).await), ["GRANT_EXCEEDS_OWN active"]);
    let demote = json!({ "id": colleague, "roleIds": [look] });
    assert_eq!(faults(&admin(&lesser, "staffUpdate", demote, STAFF).await), ["GRANT_EXCEEDS_OWN roleIds"]);
    assert_eq!(
        faults(&admin(&lesser, "staffDelete", json!({ "id": colleague }), "deletedId").await),
        ["GRANT_EXCEEDS_OWN id"]
    );
    let key = json!({ "title": "Key", "role": "owner" });
    assert_eq!(faults(&admin(&lesser, "apiKeyCreate", key, "secret").await), ["GRANT_EXCEEDS_OWN role"]);
    let made = shop.set("apiKeyCreate", json!({ "title": "ERP", "role": "Strong" }), "apiKey { id }").await.done();
    for mutation in ["apiKeyRotate", "apiKeyRevoke"] {
        let refused = admin(&lesser, mutation, json!({ "id": made["apiKey"]["id"] }), "apiKey { id }").await;
        assert_eq!(faults(&refused), ["GRANT_EXCEEDS_OWN id"]);
    }
}

#[tokio::test]
async fn a_member_of_staff_who_is_locked_out_is_out_at_once() {
    let shop = Shop::open().await;
    let viewer = shop.staff(VIEWER).await;
    let id = id_of(&viewer).await;
    let update = json!({ "id": id, "name": "Vera", "active": false, "expectedVersion": 1 });
    let changed = shop.set("staffUpdate", update.clone(), STAFF).await.done()["staff"].clone();
    assert_eq!(changed["name"], "Vera");
    assert_eq!((&changed["active"], &changed["version"]), (&json!(false), &json!(2)));
    assert_eq!(viewer.send("{ me { id } }", json!({})).await.status, 401);
    assert_eq!(shop.set("staffUpdate", update, STAFF).await.refusals(), ["CONFLICT"]);
    shop.set("staffUpdate", json!({ "id": id, "active": true }), STAFF).await.done();
    assert_eq!(viewer.send("{ me { id } }", json!({})).await.status, 401, "the old session stays ended");
}

#[tokio::test]
async fn the_shop_keeps_an_owner_who_can_log_in() {
    let shop = Shop::open().await;
    let me = id_of(&shop.admin).await;
    let viewer = shop.admin.send("{ roles { id } }", json!({})).await.at("roles.1.id");
    let out = shop.set("staffUpdate", json!({ "id": me, "active": false }), STAFF).await;
    assert_eq!(faults(&out), ["STATE_INVALID active", "IN_USE active"]);
    let down = shop.set("staffUpdate", json!({ "id": me, "roleIds": [viewer] }), STAFF).await;
    assert_eq!(faults(&down), ["IN_USE roleIds"]);
    let gone = shop.set("staffDelete", json!({ "id": me }), "deletedId").await;
    assert_eq!(faults(&gone), ["STATE_INVALID id", "IN_USE id"]);

    let second = shop.staff(OWNER).await;
    let down = shop.set("staffUpdate", json!({ "id": me, "roleIds": [viewer] }), STAFF).await.done();
    assert_eq!(down["staff"]["roles"], json!([{ "name": "viewer" }]));
    assert_eq!(shop.admin.send("{ roles { id } }", json!({})).await.status, 200, "a viewer still looks");
    let write = shop.set("roleSet", json!({ "name": "X", "permissions": ["CATALOG_READ"] }), ROLE).await;
    assert_eq!(write.error_code(), "FORBIDDEN");
    let gone = admin(&second, "staffDelete", json!({ "id": me }), "deletedId").await.done();
    assert_eq!(gone["deletedId"], me);
    assert_eq!(shop.admin.send("{ me { id } }", json!({})).await.status, 401);
}

#[tokio::test]
async fn two_owners_do_not_lock_each_other_out_at_once() {
    for _ in 0..5 {
        let shop = Shop::open().await;
        let other = shop.staff(OWNER).await;
        let (a, b) = (id_of(&shop.admin).await, id_of(&other).await);
        let (first, second) = tokio::join!(
            admin(&shop.admin, "staffUpdate", json!({ "id": b, "active": false }), STAFF),
            admin(&other, "staffUpdate", json!({ "id": a, "active": false }), STAFF),
        );
        // The loser was an owner when he asked: the runner takes his word, the rule does not.
        let done = |answer: &Answer| answer.body["data"]["staffUpdate"]["staff"].is_object();
        assert!(done(&first) != done(&second), "{first:?} {second:?}");
    }
}

#[tokio::test]
async fn a_wrong_change_of_staff_names_each_fault() {
    let shop = Shop::open().await;
    let id = id_of(&shop.staff(VIEWER).await).await;
    let unknown = "role_00000000000000000000000000";
    let faulty = json!({ "id": id, "name": "", "roleIds": [unknown] });
    assert_eq!(faults(&shop.set("staffUpdate", faulty, STAFF).await), ["REQUIRED name", "NOT_FOUND roleIds.0"]);
    let none = json!({ "id": id, "roleIds": [] });
    assert_eq!(faults(&shop.set("staffUpdate", none, STAFF).await), ["REQUIRED roleIds"]);
    let malformed = json!({ "id": "prod_x", "roleIds": ["x"] });
    assert_eq!(faults(&shop.set("staffUpdate", malformed, STAFF).await), ["INVALID id", "INVALID roleIds.0"]);
    let nobody = json!({ "id": "staff_00000000000000000000000000", "name": "X" });
    assert_eq!(shop.set("staffUpdate", nobody, STAFF).await.refusals(), ["NOT_FOUND"]);
}

#[tokio::test]
async fn staff_are_listed_with_roles_and_sessions_in_four_statements() {
    let shop = Shop::open().await;
    for _ in 0..5 {
        shop.staff(VIEWER).await;
    }
    let query = "query($after: String) { staff(first: 4, after: $after) { totalCount nodes { id roles { name }
        sessions { id } } pageInfo { hasNextPage endCursor } } }";
    let page = shop.admin.send(query, json!({})).await;
    assert_eq!(page.at("staff.totalCount"), 6);
    assert_eq!(page.at("staff.nodes.0.roles"), json!([{ "name": "viewer" }]));
    assert_eq!(page.at("staff.nodes.0.sessions").as_array().unwrap().len(), 1);
    assert_eq!(page.statements, 5, "session, count, page, roles, sessions");
    let rest = shop.admin.send(query, json!({ "after": page.at("staff.pageInfo.endCursor") })).await;
    assert_eq!(rest.at("staff.nodes").as_array().unwrap().len(), 2);
    assert_eq!(rest.at("staff.nodes.1.roles"), json!([{ "name": "owner" }]));
    assert_eq!(shop.admin.send("{ staff(active: false) { totalCount } }", json!({})).await.at("staff.totalCount"), 0);
}

#[tokio::test]
async fn sessions_end_one_by_one_or_all() {
    let shop = Shop::open().await;
    let viewer = shop.staff(VIEWER).await;
    let other = shop.staff(VIEWER).await;
    let id = id_of(&viewer).await;
    let query = "query($id: ID!) { staffMember(id: $id) { sessions { id createdAt expiresAt } } }";
    let sessions = shop.admin.send(query, json!({ "id": id })).await.at("staffMember.sessions");
    let session = json!({ "id": sessions[0]["id"] });
    let foreign = admin(&other, "sessionRevoke", session.clone(), "revokedId").await;
    assert_eq!(foreign.refusals(), ["NOT_FOUND"], "another's session is as good as none");
    let own = admin(&viewer, "sessionRevoke", session.clone(), "revokedId").await.done();
    assert_eq!(own["revokedId"], sessions[0]["id"]);
    assert_eq!(viewer.send("{ me { id } }", json!({})).await.status, 401);
    shop.set("sessionRevoke", session, "revokedId").await.done();

    let other_id = id_of(&other).await;
    shop.set("staffSessionsRevoke", json!({ "id": other_id }), "staff { sessions { id } }").await.done();
    assert_eq!(other.send("{ me { id } }", json!({})).await.status, 401);
}

#[tokio::test]
async fn a_key_is_rotated_revoked_and_remembers_its_last_use() {
    let shop = Shop::open().await;
    let made = shop
        .set("apiKeyCreate", json!({ "title": "ERP", "role": "viewer" }), "apiKey { id lastUsedAt } secret")
        .await
        .done();
    assert_eq!(made["apiKey"]["lastUsedAt"], json!(null));
    let key = json!({ "id": made["apiKey"]["id"] });
    let first = shop.anonymous_admin.bearer(made["secret"].as_str().unwrap());
    assert_eq!(first.send("{ me { id } }", json!({})).await.at("me.id"), made["apiKey"]["id"]);
    let list = "{ apiKeys { title prefix role { name } lastUsedAt revokedAt } }";
    let listed = shop.admin.send(list, json!({})).await;
    let used = listed.at("apiKeys.0.lastUsedAt");
    assert!(used.is_string(), "{listed:?}");
    assert_eq!(listed.statements, 3, "session, keys, roles");
    shop.pass(TimeDelta::seconds(30));
    first.send("{ me { id } }", json!({})).await.at("me.id");
    assert_eq!(shop.admin.send(list, json!({})).await.at("apiKeys.0.lastUsedAt"), used, "known within a minute");
    shop.pass(TimeDelta::seconds(31));
    first.send("{ me { id } }", json!({})).await.at("me.id");
    assert_ne!(shop.admin.send(list, json!({})).await.at("apiKeys.0.lastUsedAt"), used);

    let rotated = shop.set("apiKeyRotate", key.clone(), "apiKey { prefix } secret").await.done();
    assert_eq!(first.send("{ me { id } }", json!({})).await.status, 401);
    let second = shop.anonymous_admin.bearer(rotated["secret"].as_str().unwrap());
    assert_eq!(second.send("{ me { id } }", json!({})).await.status, 200);
    shop.set("apiKeyRevoke", key.clone(), "apiKey { revokedAt }").await.done();
    assert_eq!(second.send("{ me { id } }", json!({})).await.status, 401);
    assert_eq!(faults(&shop.set("apiKeyRotate", key, "secret").await), ["STATE_INVALID id"]);
    let unknown = shop.set("apiKeyCreate", json!({ "title": "", "role": "nobody" }), "secret").await;
    assert_eq!(faults(&unknown), ["REQUIRED title", "NOT_FOUND role"]);
}

#[tokio::test]
async fn the_audit_log_tells_who_did_what_with_before_and_after() {
    let shop = Shop::open().await;
    let me = id_of(&shop.admin).await;
    let made = role(&shop, "Desk", &["CATALOG_READ"]).await;
    shop.pass(TimeDelta::minutes(1));
    role(&shop, "Desk", &["ORDERS_READ"]).await;
    let query =
        "query($filter: AdminAuditFilter, $after: String) { auditEntries(filter: $filter, first: 1, after: $after) {
        totalCount nodes { at actorId op entityId before after } pageInfo { endCursor } } }";
    let filter = json!({ "entityId": made["id"], "actorId": me, "ops": ["role.set"] });
    let page = shop.admin.send(query, json!({ "filter": filter })).await;
    assert_eq!(page.at("auditEntries.totalCount"), 2);
    let newest = page.at("auditEntries.nodes.0");
    assert_eq!((&newest["op"], &newest["actorId"], &newest["entityId"]), (&json!("role.set"), &me, &made["id"]));
    assert_eq!(newest["before"], json!({ "name": "Desk", "permissions": ["CATALOG_READ"] }));
    assert_eq!(newest["after"], json!({ "name": "Desk", "permissions": ["ORDERS_READ"] }));
    assert_eq!(page.statements, 3, "session, count, page");
    let after = page.at("auditEntries.pageInfo.endCursor");
    let older = shop.admin.send(query, json!({ "filter": filter, "after": after })).await;
    assert_eq!(older.at("auditEntries.nodes.0.before"), json!(null));
    let since = json!({ "entityId": made["id"], "from": newest["at"] });
    assert_eq!(shop.admin.send(query, json!({ "filter": since })).await.at("auditEntries.totalCount"), 1);
    let before = json!({ "entityId": made["id"], "before": newest["at"] });
    assert_eq!(shop.admin.send(query, json!({ "filter": before })).await.at("auditEntries.totalCount"), 1);

    let foreign = json!({ "filter": { "entityId": me }, "after": after });
    assert_eq!(shop.admin.send(query, foreign).await.error_code(), "CURSOR_MISMATCH");
    let many: Vec<String> = (0..51).map(|number| format!("x.{number}")).collect();
    assert_eq!(shop.admin.send(query, json!({ "filter": { "ops": many } })).await.error_code(), "TOO_MANY");
    role(&shop, "Clerk", &["ORDERS_READ"]).await;
    let clerk = shop.staff("Clerk").await;
    assert_eq!(clerk.send(query, json!({})).await.error_code(), "FORBIDDEN");
}
