//! Pictures to upload, and the ways they go.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client::{Answer, Client};
use super::shop::Shop;

pub const RED: Rgb<u8> = Rgb([255, 0, 0]);
pub const GREEN: Rgb<u8> = Rgb([0, 255, 0]);
pub const BLUE: Rgb<u8> = Rgb([0, 0, 255]);
pub const WHITE: Rgb<u8> = Rgb([255, 255, 255]);

/// Four upright stripes side by side: red, green, blue, white.
pub fn stripes(width: u32, height: u32) -> RgbImage {
    let color = |x: u32| [RED, GREEN, BLUE, WHITE][(x * 4 / width) as usize];
    RgbImage::from_fn(width, height, |x, _| color(x))
}

pub fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture.clone()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    encoded(&stripes(width, height), ImageFormat::Png)
}

/// A PNG whose beginning says that it is so large; there is one pixel in it.
pub fn png_that_says(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut sum = u32::MAX;
    for byte in &bytes[12..29] {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    bytes[29..33].copy_from_slice(&(!sum).to_be_bytes());
    bytes
}

pub async fn stage(client: &Client, content_type: &str, size: usize) -> Answer {
    let query = "mutation($input: AdminStagedUploadCreateInput!) { stagedUploadCreate(input: $input) {
        stagedUpload { id url method headers { name value } expiresAt } userErrors { code message path limit } } }";
    let input = json!({ "filename": "lamp.bin", "contentType": content_type, "size": size });
    client.send(query, json!({ "input": input })).await
}

/// The id and the address of a new permission.
pub async fn staged(shop: &Shop, content_type: &str, size: usize) -> (String, String) {
    let upload = stage(&shop.admin, content_type, size).await.done()["stagedUpload"].clone();
    (upload["id"].as_str().unwrap().to_owned(), upload["url"].as_str().unwrap().to_owned())
}

pub async fn put(shop: &Shop, url: &str, content_type: &str, bytes: &[u8]) -> Response {
    let request = reqwest::Client::new().put(format!("http://{}{url}", shop.address));
    request.header("content-type", content_type).body(bytes.to_vec()).send().await.unwrap()
}

/// Stages and sends; answers with the status.
pub async fn tried(shop: &Shop, content_type: &str, bytes: &[u8]) -> u16 {
    let (_, url) = staged(shop, content_type, bytes.len()).await;
    put(shop, &url, content_type, bytes).await.status().as_u16()
}

/// Stages and sends; answers with the id of the upload.
pub async fn sent(shop: &Shop, content_type: &str, bytes: &[u8]) -> String {
    let (id, url) = staged(shop, content_type, bytes.len()).await;
    let answer = put(shop, &url, content_type, bytes).await;
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    id
}

pub const MEDIUM: &str =
    "media { id version url alt width height contentType filename size kind focalPoint { x y } createdAt }";

/// The medium of an upload.
pub async fn made(shop: &Shop, content_type: &str, bytes: &[u8], more: Value) -> Value {
    let mut input = json!({ "stagedUploadId": sent(shop, content_type, bytes).await });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.set("mediaCreate", input, MEDIUM).await.done()["media"].clone()
}

pub async fn ask(shop: &Shop, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = reqwest::Client::new().request(method, format!("http://{}{path}", shop.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

pub async fn get(shop: &Shop, path: &str) -> Response {
    ask(shop, Method::GET, path, &[]).await
}

pub async fn picture(shop: &Shop, path: &str) -> (String, RgbImage) {
    let answer = get(shop, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let kind = header(&answer, "content-type");
    (kind, image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().into_rgb8())
}

pub fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// Every file of the shop, by its path below the folder of files.
pub fn stored(shop: &Shop) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path().is_dir() {
                true => walk(&entry.path(), found),
                false => found.push(entry.path()),
            }
        }
    }
    let root = shop.database.files();
    let mut found = Vec::new();
    walk(&root, &mut found);
    let mut names: Vec<String> =
        found.iter().map(|path| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub async fn product(shop: &Shop, title: &str) -> Value {
    let input = json!({ "title": title, "status": "PUBLISHED" });
    shop.set("productCreate", input, "product { id version variants { id version } }").await.done()["product"].clone()
}

/// Sends bytes as they are and answers with all that comes back.
pub async fn raw(shop: &Shop, request: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(shop.address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

pub fn faults(answer: &Answer, mutation: &str) -> Vec<String> {
    let refused = answer.at(&format!("{mutation}.userErrors"));
    let path = |refusal: &Value| {
        let steps: Vec<_> = refusal["path"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
        steps.join(".")
    };
    let fault = |refusal: &Value| format!("{} {}", refusal["code"].as_str().unwrap(), path(refusal));
    refused.as_array().unwrap().iter().map(fault).collect()
}
