//! Media: attached, resized, served, named, listed.

use std::path::Path;

use image::RgbImage;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::pick;
use crate::support::pictures::{
    BLUE, GREEN, MEDIUM, RED, WHITE, ask, faults, get, header, made, picture, png, product, put, raw, sent, stage,
    stored,
};
use crate::support::{Answer, Shop};

#[tokio::test]
async fn a_picture_goes_from_staff_to_shoppers() {
    let shop = Shop::open().await;
    let bytes = png(400, 200);
    let upload = stage(&shop.admin, "image/png", bytes.len()).await.done()["stagedUpload"].clone();
    assert_eq!(upload["method"], "PUT");
    let headers = json!([
        { "name": "Content-Type", "value": "image/png" },
        { "name": "Content-Length", "value": bytes.len().to_string() },
    ]);
    assert_eq!(upload["headers"], headers);
    let url = upload["url"].as_str().unwrap();
    let answer = put(&shop, url, "image/png", &bytes).await;
    assert_eq!(answer.status(), 201);
    let told: Value = answer.json().await.unwrap();
    assert_eq!((&told["stagedUploadId"], &told["width"], &told["height"]), (&upload["id"], &json!(400), &json!(200)));

    let input = json!({ "stagedUploadId": upload["id"], "alt": " Stripes ", "focalPoint": { "x": "0.25", "y": "1" } });
    let medium = shop.set("mediaCreate", input, MEDIUM).await.done()["media"].clone();
    let id = medium["id"].as_str().unwrap();
    let path = format!("/media/{id}");
    let expected = json!({
        "id": id, "version": 1, "url": path, "alt": "Stripes", "width": 400, "height": 200, "kind": "IMAGE",
        "contentType": "image/png", "filename": "lamp.bin", "size": bytes.len(),
        "focalPoint": { "x": "0.25", "y": "1" }, "createdAt": medium["createdAt"],
    });
    assert_eq!(medium, expected);

    let lamp = product(&shop, "Lamp").await;
    let input = json!({ "productId": lamp["id"], "mediaIds": [id], "expectedVersion": 1 });
    let set = shop.set("productMediaSet", input, "product { version media { id } }").await.done();
    assert_eq!(set["product"], json!({ "version": 2, "media": [{ "id": id }] }));
    let query = "{ product(by: { handle: \"lamp\" }) { featuredMedia { url alt width height contentType
        small: url(transform: { width: 90, height: 90, format: WEBP }) wide: url(transform: { width: 300 })
        itself: url(transform: { width: 800 }) focalPoint { x y } } } }";
    let shown = shop.store.send(query, json!({})).await;
    let expected = json!({
        "url": path, "alt": "Stripes", "width": 400, "height": 200, "contentType": "image/png",
        "small": format!("{path}?w=96&h=96&fit=cover&format=webp&v=1"), "wide": format!("{path}?w=320&v=1"),
        "itself": path, "focalPoint": { "x": "0.25", "y": "1" },
    });
    assert_eq!(shown.at("product.featuredMedia"), expected);

    let original = get(&shop, &path).await;
    assert_eq!(header(&original, "content-type"), "image/png");
    assert_eq!(header(&original, "content-length"), bytes.len().to_string());
    assert_eq!(original.bytes().await.unwrap(), bytes);
    let (kind, small) = picture(&shop, &shown.text("product.featuredMedia.small")).await;
    assert_eq!((kind.as_str(), small.dimensions()), ("image/webp", (96, 96)));
}

#[tokio::test]
async fn sizes_come_from_the_ladder_and_the_focal_point_is_never_cut_off() {
    let shop = Shop::open().await;
    let left = made(&shop, "image/png", &png(400, 200), json!({ "focalPoint": { "x": "0", "y": "0.5" } })).await;
    let path = left["url"].as_str().unwrap().to_owned();
    let halves = |picture: &RgbImage| (*picture.get_pixel(10, 48), *picture.get_pixel(85, 48));

    let (kind, cut) = picture(&shop, &format!("{path}?w=90&h=90")).await;
    assert_eq!((kind.as_str(), cut.dimensions(), halves(&cut)), ("image/png", (96, 96), (RED, GREEN)));
    let input = json!({ "id": left["id"], "focalPoint": { "x": "1", "y": "0.5" }, "expectedVersion": 1 });
    let moved = shop.set("mediaUpdate", input, MEDIUM).await.done()["media"].clone();
    assert_eq!((&moved["version"], &moved["focalPoint"]["x"]), (&json!(2), &json!("1")));
    let (_, cut) = picture(&shop, &format!("{path}?w=90&h=90&fit=cover")).await;
    assert_eq!(halves(&cut), (BLUE, WHITE));
    shop.set("mediaUpdate", json!({ "id": left["id"], "focalPoint": null }), MEDIUM).await.done();
    let (_, cut) = picture(&shop, &format!("{path}?w=90&h=90&fit=cover")).await;
    assert_eq!(halves(&cut), (GREEN, BLUE), "the middle, when nothing is said");

    let (_, whole) = picture(&shop, &format!("{path}?w=90&h=90&fit=contain")).await;
    assert_eq!(whole.dimensions(), (96, 48));
    assert_eq!([6, 30, 66, 90].map(|x| *whole.get_pixel(x, 24)), [RED, GREEN, BLUE, WHITE]);
    let (_, high) = picture(&shop, &format!("{path}?h=96")).await;
    assert_eq!(high.dimensions(), (192, 96));
    let (kind, same) = picture(&shop, &format!("{path}?w=9999&format=jpeg")).await;
    assert_eq!((kind.as_str(), same.dimensions()), ("image/jpeg", (400, 200)), "a picture never grows");
    let (kind, _) = picture(&shop, &format!("{path}?w=96&format=webp")).await;
    assert_eq!(kind, "image/webp");
    for wrong in ["w=0", "w=10000", "h=-1", "w=x", "fit=fill", "format=gif"] {
        assert_eq!(get(&shop, &format!("{path}?{wrong}")).await.status(), 400, "{wrong}");
    }
    let wrong = format!("{{ node(id: {}) {{ ... on AdminMedia {{ url(transform: {{ width: 0 }}) }} }} }}", left["id"]);
    assert_eq!(shop.admin.send(&wrong, json!({})).await.error_code(), "INVALID");
}

#[tokio::test]
async fn what_was_drawn_is_kept_beside_the_original_and_drawn_once() {
    let shop = Shop::open().await;
    let medium = made(&shop, "image/png", &png(400, 200), json!({})).await;
    let path = medium["url"].as_str().unwrap();
    for width in [81, 82, 90, 95, 96] {
        assert_eq!(get(&shop, &format!("{path}?w={width}&v={width}")).await.status(), 200);
    }
    let files = stored(&shop);
    assert_eq!(files.len(), 2, "{files:?}");
    let folder = |name: &str| Path::new(name).parent().unwrap().to_owned();
    assert_eq!(folder(&files[0]), folder(&files[1]));
    assert!(files[0].ends_with("/96x48-0-0-400x200.png") && files[1].ends_with("/original"), "{files:?}");
}

#[tokio::test]
async fn a_drawing_is_only_ever_downloaded() {
    let shop = Shop::open().await;
    let svg = b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let medium = made(&shop, "image/svg+xml", svg, json!({})).await;
    assert_eq!((&medium["width"], &medium["contentType"]), (&json!(null), &json!("image/svg+xml")));
    let path = medium["url"].as_str().unwrap();
    for address in [path.to_owned(), format!("{path}?w=96&format=png")] {
        let answer = get(&shop, &address).await;
        assert_eq!(header(&answer, "content-type"), "image/svg+xml");
        let attached = format!("attachment; filename=\"{}.svg\"", medium["id"].as_str().unwrap());
        assert_eq!(header(&answer, "content-disposition"), attached);
        assert_eq!(header(&answer, "content-security-policy"), "sandbox; default-src 'none'");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(answer.bytes().await.unwrap(), svg.as_slice());
    }
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let shop = Shop::open().await;
    std::fs::write(shop.database.files().parent().unwrap().join("secret.txt"), "secret").unwrap();
    made(&shop, "image/png", &png(4, 4), json!({})).await;
    let original = stored(&shop)[0].clone();
    let hash = original.split('/').nth(3).unwrap();
    for path in [
        "/media/../secret.txt",
        "/media/..%2Fsecret.txt",
        "/media/%2e%2e%2fsecret.txt",
        "/media/....//secret.txt",
        "/media//etc/passwd",
        "/media/%2Fetc%2Fpasswd",
        "/media/..%5Csecret.txt",
        "/media/media_%00",
        "/media/",
        "/media/media_00000000000000000000000000",
        &format!("/media/{hash}"),
        &format!("/media/{original}"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
        let answer = raw(&shop, &request).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path} gave {answer}");
    }
    let request = "PUT /uploads/..%2F..%2Fx HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    assert!(raw(&shop, request).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn no_spelling_of_an_address_leaves_the_folder_or_stops_the_server() {
    let shop = Shop::open().await;
    std::fs::write(shop.database.files().parent().unwrap().join("secret.txt"), "the secret").unwrap();
    let medium = made(&shop, "image/png", &png(4, 4), json!({})).await;
    let mut paths = Vec::new();
    for up in [
        "../",
        "..%2f",
        "..%2F",
        "%2e%2e/",
        "%2e%2e%2f",
        "%2E%2E%2F",
        ".%2e/",
        "%2e./",
        "..%5c",
        "..\\",
        "%252e%252e%252f",
        "..%252f",
        "..%c0%af",
        "%c0%ae%c0%ae/",
        "..%ef%bc%8f",
        "....//",
        "..;/",
        "..%00/",
        "./../",
        "%2e%2e%5c",
    ] {
        paths.extend([format!("/media/{up}secret.txt"), format!("/media/{up}{up}secret.txt")]);
        paths.push(format!("/media/demo/{up}{up}secret.txt"));
    }
    let garbage = [
        "%",
        "%%",
        "%z",
        "%zz.svg",
        "%f",
        "%ff",
        "%ff%fe",
        "%u0041",
        "%00",
        "%0a",
        "%0d%0aset-cookie:x=1",
        "?",
        "?w=%",
    ];
    paths.extend(garbage.iter().flat_map(|end| [format!("/media/{end}"), format!("/media/demo/{end}")]));
    paths.extend(garbage.iter().map(|end| format!("/media/{}{end}", medium["id"].as_str().unwrap())));
    assert!(paths.len() >= 90);
    for path in paths {
        let answer = raw(&shop, &format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")).await;
        let status: u16 = answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
        let own = path.contains("media_") && status == 200;
        assert!([400, 404].contains(&status) || own, "{path} gave {answer}");
        assert!(
            !answer.contains("the secret") && !answer.to_lowercase().contains("set-cookie"),
            "{path} gave {answer}"
        );
    }
    assert_eq!(get(&shop, medium["url"].as_str().unwrap()).await.status(), 200, "the server is alive");
}

/// Nobody listens where these addresses lead but the test, which is never asked.
#[tokio::test]
async fn no_address_that_staff_give_is_ever_asked_for() {
    let shop = Shop::open().await;
    let inside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = inside.local_addr().unwrap().port();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.1",
        "127.0.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "127.127.127.127",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "metadata.google.internal",
        "instance-data",
        "localtest.me",
        "127.0.0.1.nip.io",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "elsewhere.example@127.0.0.1",
        "127.0.0.1#.elsewhere.example",
        "127.0.0.1\\@elsewhere.example",
    ];
    assert_eq!(hosts.len(), 40);
    let mut taken = 0;
    for (place, host) in hosts.iter().enumerate() {
        let url = format!("http://{host}:{port}/picture.png");
        let variant = json!([{ "mediaUrl": url }]);
        for (mutation, input, selection) in [
            ("mediaCreate", json!({ "url": url }), "media { url(transform: { width: 96 }) width }"),
            ("productCreate", json!({ "title": "A", "media": [{ "url": url }] }), "product { media { url } }"),
            ("productCreate", json!({ "title": "B", "variants": variant }), "product { id }"),
            ("collectionSet", json!({ "title": format!("C {place}"), "picture": { "url": url } }), "collection { id }"),
            ("channelCreate", json!({ "name": format!("D {place}"), "storefrontUrl": url }), "channel { id }"),
        ] {
            let answer = shop.set(mutation, input, selection).await;
            taken += usize::from(answer.refusals().is_empty());
        }
    }
    assert!(taken > 0, "some are taken as they are, and shown");
    let query = "{ media(first: 100) { nodes { url(transform: { width: 96, format: WEBP }) } } }";
    assert!(!shop.admin.send(query, json!({})).await.at("media.nodes").as_array().unwrap().is_empty());
    engine::sweeper::sweep(&shop.app).await.unwrap();
    let asked = tokio::time::timeout(std::time::Duration::from_secs(1), inside.accept()).await;
    assert!(asked.is_err(), "an address was asked: {asked:?}");
}

#[tokio::test]
async fn browsers_keep_what_never_changes() {
    let shop = Shop::open().await;
    let medium = made(&shop, "image/png", &png(400, 200), json!({})).await;
    let path = medium["url"].as_str().unwrap();
    let mut tags = Vec::new();
    for address in [path.to_owned(), format!("{path}?w=96"), format!("{path}?w=96&format=webp")] {
        let answer = get(&shop, &address).await;
        assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        let (tag, length) = (header(&answer, "etag"), header(&answer, "content-length"));
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 60, "{tag}");
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let same = ask(&shop, Method::GET, &address, &[("if-none-match", &known)]).await;
            assert_eq!((same.status().as_u16(), header(&same, "etag")), (304, tag.clone()), "{known}");
            assert_eq!(header(&same, "cache-control"), "public, max-age=31536000, immutable");
            assert!(same.bytes().await.unwrap().is_empty());
        }
        let other = ask(&shop, Method::GET, &address, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status(), 200);
        let head = ask(&shop, Method::HEAD, &address, &[]).await;
        assert_eq!((head.status().as_u16(), header(&head, "etag")), (200, tag.clone()));
        assert_eq!(header(&head, "content-length"), length);
        assert!(head.bytes().await.unwrap().is_empty());
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each outcome has a tag of its own");
    assert_eq!(get(&shop, "/media/demo/harbor-mug.svg").await.status(), 200, "the demo's pictures are still there");
}

#[tokio::test]
async fn what_lies_elsewhere_is_named_and_never_fetched() {
    let shop = Shop::open().await;
    let url = "https://cdn.example/lamp.jpg?size=1";
    let input = json!({ "url": url, "alt": "Lamp", "kind": "VIDEO" });
    let medium = shop.set("mediaCreate", input, MEDIUM).await.done()["media"].clone();
    let told = json!([medium["url"], medium["width"], medium["contentType"], medium["kind"], medium["filename"]]);
    assert_eq!(told, json!([url, null, null, "VIDEO", null]));
    let query = format!(
        "{{ node(id: {}) {{ id ... on AdminMedia {{ url(transform: {{ width: 96, format: WEBP }}) }} }} }}",
        medium["id"]
    );
    assert_eq!(shop.admin.send(&query, json!({})).await.at("node.url"), url, "it comes as it is");
    assert_eq!(get(&shop, &format!("/media/{}", medium["id"].as_str().unwrap())).await.status(), 404);

    let long = format!("https://cdn.example/{}", "x".repeat(2_048));
    for wrong in ["http://ada:secret@cdn.example/x", "ftp://cdn.example/x", "//cdn.example/x", "javascript:1", &long] {
        let refused = shop.set("mediaCreate", json!({ "url": wrong }), "media { id }").await;
        assert_eq!(faults(&refused, "mediaCreate"), ["INVALID url"], "{wrong}");
    }
    let wrong = json!({ "title": "X", "media": [{ "url": "https://ada:secret@cdn.example/x" }] });
    let refused = shop.set("productCreate", wrong, "product { id }").await;
    assert_eq!(faults(&refused, "productCreate"), ["INVALID media.0.url"]);
}

#[tokio::test]
async fn every_fault_of_a_medium_is_named_at_once() {
    let shop = Shop::open().await;
    let input = json!({ "alt": "x".repeat(513), "focalPoint": { "x": "1.1", "y": "-0.1" } });
    let refused = shop.set("mediaCreate", input, "media { id }").await;
    let expected = ["INVALID alt", "INVALID focalPoint.x", "INVALID focalPoint.y", "REQUIRED stagedUploadId"];
    assert_eq!(faults(&refused, "mediaCreate"), expected);
    let upload = sent(&shop, "image/png", &png(4, 4)).await;
    let both = json!({ "stagedUploadId": upload, "url": "https://cdn.example/x" });
    assert_eq!(faults(&shop.set("mediaCreate", both, "media { id }").await, "mediaCreate"), ["INVALID url"]);
    let film = json!({ "stagedUploadId": upload, "kind": "VIDEO" });
    assert_eq!(faults(&shop.set("mediaCreate", film, "media { id }").await, "mediaCreate"), ["INVALID kind"]);

    let medium = made(&shop, "image/png", &png(4, 4), json!({ "alt": "Lamp" })).await;
    let cleared = shop.set("mediaUpdate", json!({ "id": medium["id"], "alt": " " }), MEDIUM).await.done();
    assert_eq!(cleared["media"]["alt"], json!(null));
    let stale = json!({ "id": medium["id"], "alt": "X", "expectedVersion": 1 });
    let stale = shop.set("mediaUpdate", stale, MEDIUM).await;
    assert_eq!(stale.refusals(), ["CONFLICT"]);
    assert_eq!(stale.at("mediaUpdate.userErrors.0.currentVersion"), 2);
    let unknown = json!({ "id": "media_00000000000000000000000000", "alt": "X" });
    assert_eq!(shop.set("mediaUpdate", unknown, MEDIUM).await.refusals(), ["NOT_FOUND"]);
}

#[tokio::test]
async fn products_and_variants_show_media_in_the_order_that_staff_say() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let input = json!({ "url": format!("https://cdn.example/{name}.jpg"), "alt": name });
        let made = shop.set("mediaCreate", input, "media { id }").await.done();
        ids.push(pick(&made, "media.id"));
    }
    let lamp = product(&shop, "Lamp").await;
    let select = "product { version featuredMedia { alt } media { alt } }";
    let order = json!({ "productId": lamp["id"], "mediaIds": [ids[2], ids[0]] });
    let set = shop.set("productMediaSet", order, select).await.done()["product"].clone();
    assert_eq!(set["media"], json!([{ "alt": "c" }, { "alt": "a" }]));
    let order = json!({ "productId": lamp["id"], "mediaIds": [ids[0], ids[1], ids[2]], "expectedVersion": 2 });
    let set = shop.set("productMediaSet", order, select).await.done()["product"].clone();
    assert_eq!(set["featuredMedia"], json!({ "alt": "a" }));

    let variant = &lamp["variants"][0];
    let order = json!({ "variantId": variant["id"], "mediaIds": [ids[1], ids[2]], "expectedVersion": 1 });
    let set = shop.set("variantMediaSet", order, "variant { version media { alt } gallery { alt } }").await.done();
    let expected = json!({ "version": 2, "media": { "alt": "b" }, "gallery": [{ "alt": "b" }, { "alt": "c" }] });
    assert_eq!(set["variant"], expected);
    let seen = "{ product(by: { handle: \"lamp\" }) { media { alt } variants { gallery { alt } } } }";
    let seen = shop.store.send(seen, json!({})).await.at("product");
    assert_eq!(seen["variants"][0]["gallery"], expected["gallery"]);

    let wrong = json!({ "productId": lamp["id"], "expectedVersion": 2, "mediaIds": [] });
    assert_eq!(shop.set("productMediaSet", wrong, "product { id }").await.refusals(), ["CONFLICT"]);
    let none = "media_00000000000000000000000000";
    let wrong = json!({ "productId": lamp["id"], "mediaIds": [ids[0], none, ids[0], ] });
    let refused = shop.set("productMediaSet", wrong, "product { id }").await;
    assert_eq!(faults(&refused, "productMediaSet"), ["NOT_FOUND mediaIds.1", "DUPLICATE mediaIds.2"]);
    let wrong = json!({ "variantId": "x", "mediaIds": ["y"] });
    let refused = shop.set("variantMediaSet", wrong, "variant { id }").await;
    assert_eq!(faults(&refused, "variantMediaSet"), ["INVALID variantId", "INVALID mediaIds.0"]);
    let many = json!({ "productId": lamp["id"], "mediaIds": vec![none; 101] });
    let refused = shop.set("productMediaSet", many, "product { id }").await;
    assert_eq!(faults(&refused, "productMediaSet"), ["TOO_MANY mediaIds"]);
    assert_eq!(
        shop.store.send("{ product(by: { handle: \"lamp\" }) { media { alt } } }", json!({})).await.at("product"),
        json!({ "media": [{ "alt": "a" }, { "alt": "b" }, { "alt": "c" }] }),
        "what was refused changed nothing"
    );
}

#[tokio::test]
async fn a_medium_that_products_show_stays_and_they_are_named() {
    let shop = Shop::open().await;
    let medium = shop.set("mediaCreate", json!({ "url": "https://cdn.example/a.jpg" }), "media { id }").await.done();
    let id = pick(&medium, "media.id");
    let (lamp, mug) = (product(&shop, "Lamp").await, product(&shop, "Mug").await);
    let order = json!({ "productId": lamp["id"], "mediaIds": [id] });
    shop.set("productMediaSet", order, "product { id }").await.done();
    let order = json!({ "variantId": mug["variants"][0]["id"], "mediaIds": [id] });
    shop.set("variantMediaSet", order, "variant { id }").await.done();

    let refused = shop.set("mediaDelete", json!({ "id": id }), "deletedMediaId").await;
    assert_eq!(faults(&refused, "mediaDelete"), ["IN_USE id", "IN_USE id"]);
    for (place, product) in [&lamp, &mug].into_iter().enumerate() {
        assert_eq!(refused.at(&format!("mediaDelete.userErrors.{place}.entityId")), product["id"]);
    }
    assert!(refused.text("mediaDelete.userErrors.0.message").contains("\"lamp\""));
    shop.set("productDelete", json!({ "id": lamp["id"] }), "deletedProductId").await.done();
    let order = json!({ "variantId": mug["variants"][0]["id"], "mediaIds": [] });
    shop.set("variantMediaSet", order, "variant { id }").await.done();
    let stale = json!({ "id": id, "expectedVersion": 7 });
    assert_eq!(shop.set("mediaDelete", stale, "deletedMediaId").await.refusals(), ["CONFLICT"]);
    assert_eq!(shop.set("mediaDelete", json!({ "id": id }), "deletedMediaId").await.done()["deletedMediaId"], id);
    assert_eq!(shop.set("mediaDelete", json!({ "id": id }), "deletedMediaId").await.refusals(), ["NOT_FOUND"]);
    assert_eq!(shop.admin.send("{ media { totalCount } }", json!({})).await.at("media.totalCount"), 0);
}

#[tokio::test]
async fn media_are_listed_by_page_kind_and_use() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for (name, kind) in [("a", "IMAGE"), ("b", "VIDEO"), ("c", "IMAGE"), ("d", "FILE")] {
        let input = json!({ "url": format!("https://cdn.example/{name}"), "alt": name, "kind": kind });
        ids.push(pick(&shop.set("mediaCreate", input, "media { id }").await.done(), "media.id"));
    }
    let lamp = product(&shop, "Lamp").await;
    let order = json!({ "productId": lamp["id"], "mediaIds": [ids[0]] });
    shop.set("productMediaSet", order, "product { id }").await.done();
    let list = "query($first: Int, $after: String, $filter: AdminMediaFilter) {
        media(first: $first, after: $after, filter: $filter) {
            totalCount nodes { alt } pageInfo { hasNextPage endCursor } } }";
    let alts = |answer: &Answer| {
        let nodes = answer.at("media.nodes");
        nodes.as_array().unwrap().iter().map(|node| node["alt"].as_str().unwrap().to_owned()).collect::<String>()
    };
    let first = shop.admin.send(list, json!({ "first": 3 })).await;
    assert_eq!((alts(&first).as_str(), first.at("media.totalCount"), first.statements), ("dcb", json!(4), 3));
    let after = first.at("media.pageInfo.endCursor");
    let second = shop.admin.send(list, json!({ "first": 3, "after": after })).await;
    assert_eq!((alts(&second).as_str(), second.at("media.pageInfo.hasNextPage")), ("a", json!(false)));
    let one = shop.admin.send(list, json!({ "first": 1 })).await;
    assert_eq!(one.statements, first.statements, "the number of statements does not grow with the page");
    for (filter, expected) in [
        (json!({ "unused": true }), "dcb"),
        (json!({ "unused": false }), "a"),
        (json!({ "kind": ["IMAGE"] }), "ca"),
        (json!({ "kind": ["IMAGE", "FILE"], "unused": true }), "dc"),
        (json!({ "kind": [] }), ""),
    ] {
        assert_eq!(alts(&shop.admin.send(list, json!({ "filter": filter })).await), expected, "{filter}");
    }
    let other = json!({ "first": 3, "after": after, "filter": { "unused": true } });
    assert_eq!(shop.admin.send(list, other).await.error_code(), "CURSOR_MISMATCH");
}
