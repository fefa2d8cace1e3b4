//! What the two APIs do of what their clients have to know.

use super::{Api, Product, Shape};
use crate::http::{Request, System};
use jiff::Timestamp;
use serde_json::{Value, json};

fn asked(api: &mut Api, method: &str, target: &str, body: &Value) -> (u16, Value) {
    let headers = vec![
        ("authorization".to_owned(), "Bearer secret".to_owned()),
        ("x-api-key".to_owned(), "secret".to_owned()),
        ("idempotency-key".to_owned(), "k1".to_owned()),
    ];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let now = Timestamp::from_second(1_795_000_000).unwrap();
    let request = Request { method: method.to_owned(), target: target.to_owned(), headers, body };
    let response = api.handle(now, &request);
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

#[test]
fn one_sku_is_made_twice_unless_it_keeps_them_apart_or_remembers() {
    let mug = json!({"product": {"sku": "MUG", "price": "4.50"}});
    let mut api = Api::new(Shape::Flat, "secret");
    assert_eq!([0; 2].map(|_| asked(&mut api, "POST", "/api/products", &mug).0), [201, 201]);
    assert_eq!((api.products().len(), api.writes()), (2, 2));
    let mut apart = Api::new(Shape::Flat, "secret").keeping_apart();
    assert_eq!([0; 2].map(|_| asked(&mut apart, "POST", "/api/products", &mug).0), [201, 409]);
    let mut remembering = Api::new(Shape::Flat, "secret").remembering();
    assert_eq!([0; 2].map(|_| asked(&mut remembering, "POST", "/api/products", &mug).0), [201, 200]);
    assert_eq!(remembering.products().len(), 1);
}

#[test]
fn a_record_that_is_put_without_a_field_loses_it() {
    let mut api = Api::new(Shape::Nested, "secret");
    let whole = json!({"code": "MUG", "title": {"en": "Mug", "de": "Becher"}, "measures": {"grams": 350}});
    assert_eq!(asked(&mut api, "POST", "/v1/articles", &whole), (201, json!({"uuid": "p-000001"})));
    let less = json!({"code": "MUG", "title": {"en": "Cup"}});
    assert_eq!(asked(&mut api, "PUT", "/v1/articles/p-000001", &less).0, 204);
    let (_, told) = asked(&mut api, "GET", "/v1/articles/p-000001", &Value::Null);
    assert_eq!((&told["title"], &told["measures"]["grams"]), (&json!({"en": "Cup", "de": null}), &Value::Null));
    assert_eq!(asked(&mut api, "PUT", "/v1/articles/p-000001", &json!({"measures": {"grams": 1.5}})).0, 422);
}

#[test]
fn many_at_once_are_done_each_for_itself() {
    let mut api = Api::new(Shape::Nested, "secret").keeping_apart();
    let articles = json!({"articles": [{"code": "A"}, {"code": "A"}, {}, {"code": "B", "strange": 1}, {"code": "C"}]});
    let statuses = |told: &Value| -> Vec<u64> {
        told["results"].as_array().unwrap().iter().map(|row| row["status"].as_u64().unwrap()).collect()
    };
    let (status, told) = asked(&mut api, "POST", "/v1/articles/batch", &articles);
    assert_eq!((status, statuses(&told)), (200, vec![201, 409, 422, 422, 201]));
    assert_eq!((&told["results"][4]["article"]["uuid"], api.products().len()), (&json!("p-000002"), 2));
    let changes = json!({"articles": [{"uuid": "p-000001", "code": "Z"}, {"uuid": "p-9", "code": "Y"}, {"code": "X"}]});
    let (_, told) = asked(&mut api, "PUT", "/v1/articles/batch", &changes);
    assert_eq!((statuses(&told), api.products()[&1].sku.as_str()), (vec![200, 404, 404], "Z"));
    let many = json!({"articles": vec![json!({"code": "M"}); 21]});
    assert_eq!(asked(&mut api, "POST", "/v1/articles/batch", &many).0, 413);
    assert_eq!(asked(&mut Api::new(Shape::Flat, "secret"), "POST", "/api/products/batch", &articles).0, 404);
}

#[test]
fn each_pages_in_its_way_and_lets_nobody_in_without_the_secret() {
    let now = Timestamp::from_second(1_794_000_000).unwrap();
    for (shape, first) in [(Shape::Flat, "/api/products?page=1&limit=2"), (Shape::Nested, "/v1/articles?count=2")] {
        let mut api = Api::new(shape, "secret");
        for n in 1..=3 {
            api.stock(Product { sku: format!("S{n}"), changed: now, ..Product::default() });
        }
        let (_, page) = asked(&mut api, "GET", first, &Value::Null);
        let (rows, next) = match shape {
            Shape::Flat => (&page["data"], "/api/products?page=2&limit=2".to_owned()),
            Shape::Nested => (&page["rows"], page["next"].as_str().unwrap().to_owned()),
        };
        assert_eq!(rows.as_array().unwrap().len(), 2);
        let (_, page) = asked(&mut api, "GET", &next, &Value::Null);
        assert!(page["meta"]["more"] == json!(false) || page["next"].is_null());
        let request = Request { method: "GET".to_owned(), target: first.to_owned(), headers: vec![], body: vec![] };
        assert_eq!(api.handle(now, &request).status, 401);
    }
}
