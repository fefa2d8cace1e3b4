//! Images in the shop: what adding, saving and taking away leave, and what moves by itself.

use super::*;
use crate::base64::letters;
use crate::image::{drawn, print_of};

const TOKEN: &str = "integration-token";

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a moment")
}

fn shop() -> Shop {
    Shop::new(Options { seed: 3, products: 20, orders: 0, empty: true, now: now(), token: TOKEN.to_owned() })
}

fn send(shop: &mut Shop, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request { method: method.to_owned(), target: format!("/rest/all/V1/products/{path}"), headers, body };
    let answer = shop.handle(now(), &request);
    (answer.status, serde_json::from_slice(&answer.body).expect("every answer is JSON"))
}

fn upload(name: &str, words: &str, types: &[&str]) -> Value {
    let content = json!({"base64_encoded_data": letters(&drawn(words)), "type": "image/gif", "name": name});
    json!({"entry": {"media_type": "image", "label": null, "position": 2, "disabled": false, "types": types, "content": content}})
}

fn rows(shop: &Shop) -> Vec<Value> {
    let ledger = shop.ledger();
    let mine = ledger["products"].as_array().expect("products").iter().find(|row| row["sku"] == "MUG").expect("a mug");
    mine["images"].as_array().expect("images").clone()
}

#[test]
fn roles_go_with_a_name_and_stay_with_another_one() {
    let mut shop = shop();
    assert_eq!(send(&mut shop, "POST", "MUG/media", &upload("front.gif", "front", &[])), (200, json!("1")));
    assert_eq!(
        rows(&shop)[0]["roles"],
        json!(["image", "small_image", "thumbnail", "swatch_image"]),
        "the first plays all"
    );
    send(&mut shop, "POST", "MUG/media", &upload("back.gif", "back", &[]));
    let players = |shop: &Shop| -> Vec<(u64, usize)> {
        let told = |row: &Value| (row["id"].as_u64().expect("an id"), row["roles"].as_array().expect("roles").len());
        rows(shop).iter().map(told).collect()
    };
    assert_eq!(players(&shop), [(2, 0), (1, 4)]);
    send(&mut shop, "POST", "MUG/media", &upload("front.gif", "other", &[]));
    assert_eq!(players(&shop), [(3, 4), (2, 0), (1, 0)]);
    assert_eq!(
        (&rows(&shop)[0]["file"], &rows(&shop)[2]["print"]),
        (&json!("/f/r/front_1.gif"), &json!(print_of(&drawn("front"))))
    );
}

#[test]
fn a_save_replaces_an_entry_and_nothing_of_it_moves_the_product() {
    let mut shop = shop();
    let stamp = |shop: &mut Shop| send(shop, "GET", "MUG?fields=updated_at", &Value::Null).1;
    let before = stamp(&mut shop);
    send(&mut shop, "POST", "MUG/media", &upload("front.gif", "front", &[]));
    let entry = json!({"entry": {"id": 1, "media_type": "image", "label": "Front", "position": 5, "disabled": true, "types": ["image"]}});
    assert_eq!(send(&mut shop, "PUT", "MUG/media/1", &entry), (200, json!(true)));
    let row = rows(&shop).remove(0);
    assert_eq!((&row["label"], &row["position"], &row["roles"]), (&json!("Front"), &json!(5), &json!(["image"])));
    let told = send(&mut shop, "GET", "MUG?fields=media_gallery_entries[id,file,content]", &Value::Null).1;
    assert_eq!(told, json!({"media_gallery_entries": [{"id": 1, "file": "/f/r/front.gif"}]}));
    let (_, one) = send(&mut shop, "GET", "MUG/media/1", &Value::Null);
    assert_eq!(one["content"]["base64_encoded_data"], letters(&drawn("front")));
    assert_eq!(send(&mut shop, "DELETE", "MUG/media/1", &Value::Null), (200, json!(true)));
    assert_eq!(send(&mut shop, "DELETE", "MUG/media/1", &Value::Null).0, 404);
    assert_eq!((rows(&shop).len(), stamp(&mut shop)), (0, before));
}

#[test]
fn what_is_no_image_is_refused() {
    let mut shop = shop();
    let mut upload = upload("front.gif", "front", &[]);
    assert_eq!(send(&mut shop, "POST", "NO-SUCH/media", &upload).0, 404);
    upload["entry"]["content"]["type"] = json!("image/png");
    assert_eq!(send(&mut shop, "POST", "MUG/media", &upload).0, 400);
    upload["entry"]["content"]["base64_encoded_data"] = json!("é");
    assert_eq!(send(&mut shop, "POST", "MUG/media", &upload).0, 400);
    assert_eq!(shop.add_image("MUG", "back.gif", b"<svg/>", 1), None);
    let id = shop.add_image("MUG", "back.gif", &drawn("back"), 1).expect("an image");
    assert!(shop.remove_image("MUG", id) && !shop.remove_image("MUG", id));
}

#[test]
fn a_product_made_anew_has_an_id_of_its_own_and_no_images() {
    let mut shop = shop();
    let skus: Vec<String> = shop.products.all().map(|item| item.sku.clone()).collect();
    let last = skus.last().expect("a product").clone();
    let told = |shop: &mut Shop| {
        let told = send(shop, "GET", &format!("{last}?fields=id,media_gallery_entries[id]"), &Value::Null).1;
        (told["id"].clone(), told["media_gallery_entries"].as_array().map_or(0, Vec::len))
    };
    assert!(shop.add_image(&last, "front.gif", &drawn("front"), 1).is_some());
    let (id, images) = told(&mut shop);
    assert_eq!(images, 1);
    assert!(shop.delete_product(&last) && shop.make_product_again(now(), &last));
    let (again, images) = told(&mut shop);
    assert_eq!((again.as_u64() > id.as_u64(), images), (true, 0));
}
