//! Uploads: looked at, stored once, swept away.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::auth::{OWNER, VIEWER};
use engine::media::files::Files;
use engine::media::sweep;
use entity::staged_upload;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::database::TestDatabase;
use crate::support::pictures::{
    BLUE, RED, WHITE, encoded, faults, get, made, picture, png, png_that_says, put, raw, sent, stage, staged, stored,
    stripes, tried,
};

#[tokio::test]
async fn every_kind_of_picture_is_taken_and_moving_ones_show_their_first_frame() {
    let shop = Shop::open().await;
    let picture_of = stripes(400, 200);
    for (kind, format, resized) in [
        ("image/jpeg", ImageFormat::Jpeg, "image/jpeg"),
        ("image/webp", ImageFormat::WebP, "image/webp"),
        ("image/gif", ImageFormat::Gif, "image/png"),
    ] {
        let medium = made(&shop, kind, &encoded(&picture_of, format), json!({})).await;
        assert_eq!((&medium["width"], &medium["contentType"]), (&json!(400), &json!(kind)));
        let (sent, small) = picture(&shop, &format!("{}?w=96", medium["url"].as_str().unwrap())).await;
        assert_eq!((sent.as_str(), small.dimensions()), (resized, (96, 48)));
    }
    let mut moving = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut moving);
    for color in [RED, BLUE] {
        let frame = DynamicImage::ImageRgb8(RgbImage::from_pixel(200, 100, color)).into_rgba8();
        encoder.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(encoder);
    let medium = made(&shop, "image/gif", &moving, json!({})).await;
    let (_, still) = picture(&shop, &format!("{}?w=96", medium["url"].as_str().unwrap())).await;
    assert_eq!(*still.get_pixel(48, 24), RED);
}

#[tokio::test]
async fn a_photograph_that_was_held_upright_is_shown_upright() {
    let shop = Shop::open().await;
    // Little-endian TIFF with one entry: orientation 6, a quarter turn to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(&stripes(400, 200)).unwrap();
    let medium = made(&shop, "image/jpeg", &bytes, json!({})).await;
    assert_eq!((&medium["width"], &medium["height"]), (&json!(200), &json!(400)));
    let (_, small) = picture(&shop, &format!("{}?w=96&format=png", medium["url"].as_str().unwrap())).await;
    assert_eq!(small.dimensions(), (96, 192));
    let near = |at: (u32, u32), color: Rgb<u8>| {
        let found = small.get_pixel(at.0, at.1);
        assert!(found.0.iter().zip(color.0).all(|(found, wish)| found.abs_diff(wish) < 16), "{found:?} at {at:?}");
    };
    near((48, 20), RED);
    near((48, 170), WHITE);
}

#[tokio::test]
async fn bytes_decide_what_a_file_is() {
    let shop = Shop::open().await;
    let html = b"<html><script>alert(1)</script></html>";
    assert_eq!(tried(&shop, "image/png", html).await, 415, "no picture");
    assert_eq!(tried(&shop, "image/jpeg", &png(4, 4)).await, 415, "another picture");
    assert_eq!(tried(&shop, "image/svg+xml", html).await, 415, "no drawing");
    assert_eq!(tried(&shop, "image/png", b"\x89PNG\r\n\x1a\nand then nothing").await, 422, "broken");
    assert_eq!(tried(&shop, "image/png", &png(4, 4)).await, 201);

    let bytes = png(4, 4);
    let (id, url) = staged(&shop, "image/png", bytes.len()).await;
    assert_eq!(put(&shop, &url, "image/webp", &bytes).await.status(), 415, "the header says something else");
    let refused = shop.set("mediaCreate", json!({ "stagedUploadId": id }), "media { id }").await;
    assert_eq!(faults(&refused, "mediaCreate"), ["NOT_FOUND stagedUploadId"], "nothing came of it");
    assert_eq!(stored(&shop).len(), 1, "what was refused leaves nothing behind: {:?}", stored(&shop));
}

#[tokio::test]
async fn an_upload_is_as_long_as_was_agreed_and_never_too_long() {
    let database = Arc::new(TestDatabase::copy().await);
    let files = Files::new(database.files(), 1_000);
    let shop = Shop::on(database, |builder| builder.files(files)).await;
    for size in [0, 1_001] {
        let refused = stage(&shop.admin, "image/png", size).await;
        assert_eq!(faults(&refused, "stagedUploadCreate"), ["INVALID size"]);
        assert_eq!(refused.at("stagedUploadCreate.userErrors.0.limit"), 1_000);
    }
    let bytes = png(4, 4);
    let (_, url) = staged(&shop, "image/png", bytes.len() - 1).await;
    assert_eq!(put(&shop, &url, "image/png", &bytes).await.status(), 413, "longer than agreed");
    let (_, url) = staged(&shop, "image/png", bytes.len() + 1).await;
    assert_eq!(put(&shop, &url, "image/png", &bytes).await.status(), 400, "shorter than agreed");
    let (_, url) = staged(&shop, "image/png", 4).await;
    let chunked = format!(
        "PUT {url} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-type: image/png\r\n\
         transfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
    );
    assert!(raw(&shop, &chunked).await.starts_with("HTTP/1.1 411"), "a length that nobody knows");
    assert_eq!(stored(&shop), Vec::<String>::new());

    let refused = stage(&shop.admin, "text/html", 5_000).await;
    assert_eq!(faults(&refused, "stagedUploadCreate"), ["INVALID contentType", "INVALID size"]);
    let query = "mutation($input: AdminStagedUploadCreateInput!) { stagedUploadCreate(input: $input) {
        stagedUpload { id } userErrors { code path } } }";
    let input = json!({ "filename": "../../etc/passwd", "contentType": "image/png", "size": 5 });
    let refused = shop.admin.send(query, json!({ "input": input })).await;
    assert_eq!(faults(&refused, "stagedUploadCreate"), ["INVALID filename"]);
}

#[tokio::test]
async fn a_token_is_good_for_one_try_within_a_quarter_of_an_hour() {
    let shop = Shop::open().await;
    let bytes = png(4, 4);
    let (_, url) = staged(&shop, "image/png", bytes.len()).await;
    assert_eq!(put(&shop, &url, "image/png", &bytes).await.status(), 201);
    let again = put(&shop, &url, "image/png", &bytes).await;
    assert_eq!(again.status(), 404);
    assert_eq!(again.json::<Value>().await.unwrap()["code"], "NOT_FOUND");

    let (_, url) = staged(&shop, "image/png", bytes.len()).await;
    assert_eq!(put(&shop, &url, "image/png", b"not it").await.status(), 400);
    assert_eq!(put(&shop, &url, "image/png", &bytes).await.status(), 404, "a failed try counts");

    let (_, url) = staged(&shop, "image/png", bytes.len()).await;
    shop.pass(TimeDelta::minutes(15));
    assert_eq!(put(&shop, &url, "image/png", &bytes).await.status(), 404, "too late");
    assert_eq!(put(&shop, "/uploads/guessed", "image/png", &bytes).await.status(), 404);
}

#[tokio::test]
async fn a_picture_that_would_fill_the_memory_is_refused_by_its_first_bytes() {
    let shop = Shop::open().await;
    for (width, height) in [(10_000, 5_001), (60_000, 60_000), (40_000, 1), (1, u32::MAX >> 1)] {
        assert_eq!(tried(&shop, "image/png", &png_that_says(width, height)).await, 413, "{width} x {height}");
    }
    assert_eq!(tried(&shop, "image/png", &png_that_says(10_000, 5_000)).await, 201, "as large as allowed");
    assert!(stored(&shop).iter().all(|name| name.ends_with("/original")));
}

#[tokio::test]
async fn equal_bytes_are_stored_once_and_go_with_the_last_medium() {
    let shop = Shop::open().await;
    let bytes = png(40, 20);
    let first = made(&shop, "image/png", &bytes, json!({ "alt": "One" })).await;
    let second = made(&shop, "image/png", &bytes, json!({ "alt": "Two" })).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(stored(&shop).len(), 1, "{:?}", stored(&shop));

    let delete = "mutation($input: AdminMediaDeleteInput!) { mediaDelete(input: $input) {
        deletedMediaId userErrors { code } } }";
    shop.admin.send(delete, json!({ "input": { "id": first["id"] } })).await.done();
    shop.pass(TimeDelta::days(2));
    sweep::uploads(&shop.app).await.unwrap();
    sweep::files(&shop.app).await.unwrap();
    assert_eq!(get(&shop, first["url"].as_str().unwrap()).await.status(), 404);
    assert_eq!(get(&shop, second["url"].as_str().unwrap()).await.bytes().await.unwrap(), bytes);
    assert_eq!(get(&shop, &format!("{}?format=webp", second["url"].as_str().unwrap())).await.status(), 200);
    assert_eq!(stored(&shop).len(), 2);

    // Two days later the log-in of before is over.
    let admin = shop.staff(OWNER).await;
    admin.send(delete, json!({ "input": { "id": second["id"] } })).await.done();
    sweep::files(&shop.app).await.unwrap();
    assert_eq!(stored(&shop), Vec::<String>::new(), "the original and all that was drawn from it");
}

#[tokio::test]
async fn what_nobody_names_is_swept_away() {
    let shop = Shop::open().await;
    let kept = made(&shop, "image/png", &png(40, 20), json!({})).await;
    sent(&shop, "image/png", &png(44, 22)).await;
    staged(&shop, "image/png", 10).await;
    let root = shop.database.files();
    let orphan = root.join("content/ab/ab").join("ab".repeat(32));
    std::fs::create_dir_all(&orphan).unwrap();
    std::fs::write(orphan.join("original"), "old").unwrap();
    std::fs::write(orphan.join("96x96.webp"), "old").unwrap();
    std::fs::create_dir_all(root.join("incoming")).unwrap();
    std::fs::write(root.join("incoming/upload_cut#1"), "half").unwrap();

    sweep::uploads(&shop.app).await.unwrap();
    sweep::files(&shop.app).await.unwrap();
    assert_eq!(stored(&shop).len(), 5, "all of it is young: {:?}", stored(&shop));

    shop.pass(TimeDelta::minutes(61));
    sweep::uploads(&shop.app).await.unwrap();
    let uploads = staged_upload::Entity::find().all(&shop.app.read()).await.unwrap();
    assert_eq!(uploads, [], "their time is over");
    assert_eq!(stored(&shop).len(), 4, "the forgotten upload's file went with it: {:?}", stored(&shop));

    shop.pass(TimeDelta::hours(24));
    sweep::files(&shop.app).await.unwrap();
    let left = stored(&shop);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(get(&shop, kept["url"].as_str().unwrap()).await.bytes().await.unwrap(), png(40, 20));
}

#[tokio::test]
async fn an_upload_belongs_to_whoever_asked_for_it_and_becomes_one_medium() {
    let shop = Shop::open().await;
    let bytes = png(4, 4);
    let (id, url) = staged(&shop, "image/png", bytes.len()).await;
    let create = "mutation($input: AdminMediaCreateInput!) { mediaCreate(input: $input) {
        media { id } userErrors { code path } } }";
    let input = json!({ "input": { "stagedUploadId": id } });
    let early = shop.admin.send(create, input.clone()).await;
    assert_eq!(faults(&early, "mediaCreate"), ["STATE_INVALID stagedUploadId"], "nothing was sent yet");
    put(&shop, &url, "image/png", &bytes).await;
    let stranger = shop.staff(OWNER).await.send(create, input.clone()).await;
    assert_eq!(faults(&stranger, "mediaCreate"), ["NOT_FOUND stagedUploadId"]);
    shop.admin.send(create, input.clone()).await.done();
    let twice = shop.admin.send(create, input.clone()).await;
    assert_eq!(faults(&twice, "mediaCreate"), ["STATE_INVALID stagedUploadId"]);

    let viewer = shop.staff(VIEWER).await;
    assert_eq!(viewer.send(create, input).await.error_code(), "FORBIDDEN");
    assert_eq!(stage(&viewer, "image/png", 4).await.error_code(), "FORBIDDEN");
    let seen = viewer.send("{ media { nodes { contentType } } }", json!({})).await;
    assert_eq!(seen.at("media.nodes"), json!([{ "contentType": "image/png" }]));
}
