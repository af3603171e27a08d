//! Mail to staff: invitations and new passwords.

use serde_json::json;

use crate::support::people::STAFF_PASSWORD;
use crate::support::post::post_shop;

fn token_in(text: &str) -> String {
    let after = text.split("token=").nth(1).unwrap_or_else(|| panic!("no token in {text}"));
    after.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn staff_are_invited_and_recover_by_mail() {
    let (shop, post) = post_shop().await;
    let channel = shop.app.settings().channels[0].id.to_string();
    let input = json!({ "id": channel, "storefrontUrl": "https://shop.example" });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
    let viewer = roles.as_array().unwrap().iter().find(|role| role["name"] == "viewer").unwrap()["id"].clone();
    let input = json!({ "email": "bob@shop.example", "name": "Bob", "roles": [{ "roleId": viewer }] });
    shop.set("staffInvite", input, "staff { id }").await.done();
    shop.mail_is_done().await;
    let mail = post.last();
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("bob@shop.example", "Your access to Default"));
    assert!(mail.text.starts_with("Hello Bob,\n"), "{}", mail.text);
    assert!(mail.text.contains("https://shop.example/staff/invitation?token="), "{}", mail.text);
    let accept = json!({ "token": token_in(&mail.text), "password": STAFF_PASSWORD });
    shop.stranger("staffInvitationAccept", accept, "staffId").await.done();

    let ask = json!({ "email": "bob@shop.example" });
    shop.stranger("staffRecoveryRequest", ask, "accepted").await.done();
    shop.mail_is_done().await;
    let mail = post.last();
    assert!(mail.text.contains("https://shop.example/staff/recovery?token="), "{}", mail.text);
    let recover = json!({ "token": token_in(&mail.text), "password": "another long password" });
    shop.stranger("staffRecover", recover, "recovered").await.done();
    assert_eq!(post.asked(), 2);
}

#[tokio::test]
async fn who_reaches_some_channels_alone_reads_no_mail_and_writes_no_texts() {
    let (shop, _post) = post_shop().await;
    let limited = shop.staff("owner").await;
    let me = limited.send("{ me { id } }", json!({})).await.at("me.id");
    let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
    let owner = roles.as_array().unwrap().iter().find(|role| role["name"] == "owner").unwrap()["id"].clone();
    let channel = shop.app.settings().channels[0].id.to_string();
    let wish = json!({ "id": me, "roles": [{ "roleId": owner, "channelIds": [channel] }] });
    shop.set("staffUpdate", wish, "staff { id }").await.done();
    for query in [
        "query { notifications { nodes { id } } }",
        "query { notification(id: \"notif_00000000000000000000000000\") { id } }",
        "query { node(id: \"notif_00000000000000000000000000\") { id } }",
        "query { notificationTemplates { locale } }",
        "query { notificationTemplate(template: ORDER_SHIPPED) { locale } }",
        "query { notificationPreview(template: ORDER_SHIPPED) { subject } }",
        "mutation { notificationResend(input: { idempotencyKey: \"k\", id: \"notif_00000000000000000000000000\" }) {
            userErrors { code } } }",
        "mutation { notificationTemplateReset(input: { template: ORDER_SHIPPED, locale: \"en\" }) {
            userErrors { code } } }",
        "mutation { notificationTemplateSet(input: { template: ORDER_SHIPPED, locale: \"en\", subject: \"s\",
            text: \"t\", html: \"h\" }) { userErrors { code } } }",
    ] {
        assert_eq!(limited.send(query, json!({})).await.error_code(), "FORBIDDEN", "{query}");
        assert_ne!(shop.admin.send(query, json!({})).await.body["data"], json!(null), "{query}");
    }
}
