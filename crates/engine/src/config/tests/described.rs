//! Systems that the file describes: the example is good, and what is wrong in one is named with its line and a remedy.

use super::*;
use syncline_connect::json_api::{Leaf, Style};

const EXAMPLE: &str = include_str!("../../../../connectors/src/http_json/fixtures/example.toml");

fn wrong(from: &str, to: &str) -> ConfigError {
    assert!(EXAMPLE.contains(from), "{from}");
    parse(&EXAMPLE.replacen(from, to, 1)).expect_err(to)
}

#[test]
fn the_example_of_the_connector_is_good() {
    let config = parse(EXAMPLE).expect("good");
    let pim = &config.systems[&SystemName::new("pim")];
    let described = pim.described.as_ref().expect("described");
    assert_eq!((pim.kind, described.per_second), (SystemKind::HttpJson, Some(20)));
    assert_eq!((described.variants.paging.style, described.variants.overlap.0.0), (Style::Page, 300));
    assert!(described.variants.fields.contains_key(&Leaf::active()));
    let store = config.systems[&SystemName::new("store")].described.clone().expect("described");
    assert_eq!(store.token_header.map(|header| header.0).as_deref(), Some("x-api-key"));
    assert!(config.in_force().products.is_some_and(|rules| rules.pairs[0].creates));
}

/// What stands in the example, what is written in its place; the code, what is told and what is to be done.
const WRONG: [[&str; 5]; 22] = [
    ["items = \"/data\"", "itmes = \"/data\"", "SYN-0412", ":13: unknown key `itmes`", "did you mean `items`?"],
    ["id = \"/id\"", "", "SYN-0414", "there is no `id`", "add `id = …`"],
    [
        "\"/id\"",
        "\"id\"",
        "SYN-0413",
        ":14: `id`: invalid value: string \"id\", expected a place in JSON",
        "in the form",
    ],
    ["\"/updated_at\"", "7", "SYN-0413", ":15: `changed`: invalid type", "in the form"],
    ["overlap = \"5m\"", "overlap = \"5w\"", "SYN-0413", "expected a duration", "in the form"],
    ["read = \"/api", "read = \"https://evil.example/api", "SYN-0413", "expected a path below `url`", "in the form"],
    ["{id}\"\nrecord", "\"\nrecord", "SYN-0413", "[systems.pim.variants] `read` is", "has to hold `{id}`"],
    ["style = \"page\"", "style = \"pages\"", "SYN-0411", "unknown variant `pages`", ""],
    ["parameter = \"page\"", "", "SYN-0413", "`paging` has no `parameter`", "add it"],
    ["weight = {", "wieght = {", "SYN-0413", "`wieght`", "in the form"],
    ["as = \"minor\", digits = 3", "as = \"minor\"", "SYN-0413", "`fields.weight` has no `digits`", "digits = 2"],
    ["yes = 1, no = 2", "yes = 1", "SYN-0414", "there is no `no`", "add `no"],
    ["limit = 120", "limt = 120", "SYN-0412", "unknown key `limt`", "did you mean `limit`?"],
    [
        "kind = \"http-json\"\nuid = \"7f3k\"",
        "kind = \"http-jsn\"\nuid = \"7f3k\"",
        "SYN-0413",
        "`kind`",
        "did you mean",
    ],
    ["url = \"https://pim.example\"", "url = \"https://pim.example?a=1\"", "SYN-0413", "`url` of a JSON API", "begin"],
    ["token = \"env:PIM_TOKEN\"", "token = \"s3cret\"", "SYN-0415", "`token` stands here in plain", "env:"],
    ["token = \"env:PIM_TOKEN\"", "login = \"sync\"", "SYN-0414", "has `login` and no `password`", "add `password`"],
    ["token = \"env:STORE_KEY\"", "", "SYN-0414", "has `token_header` and no `token`", "add `token`"],
    ["calls_per_second = 20", "calls_per_second = 0", "SYN-0413", "`calls_per_second` is 0", "e.g. 10"],
    [
        "calls_per_second = 20",
        "warehouse = \"MAIN\"",
        "SYN-0412",
        "`warehouse` means nothing for a http-json",
        "remove",
    ],
    ["idempotency_header = \"Idempotency-Key\"", "idempotency_header = \"Host\"", "SYN-0413", "name of a header", ""],
    ["[flows.products]", "[flows.inventory]", "SYN-0412", "", ""],
];

#[test]
fn what_is_wrong_in_a_description_says_where_and_what_to_do() {
    let mut unlike = Vec::new();
    for [from, to, code, what, remedy] in WRONG {
        let error = wrong(from, to);
        let told = error.to_string();
        if error.code != code || !told.contains(what) || !error.remedy.contains(remedy) {
            unlike.push(format!("{to}: {} {told}: {}", error.code, error.remedy));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

#[test]
fn what_is_described_belongs_to_described_systems_and_products() {
    let shop = error("token =", "calls_per_second = 3\ntoken =");
    assert!(shop.what.contains("means nothing for a magento system"), "{shop}");
    let described = EXAMPLE.split("[systems.store]").next().unwrap().replace("7f3k", "aa11");
    let prices = format!("{GOOD}\n{described}\n[flows.prices]\nfrom = \"pim\"\nto = [\"shop\"]\ntax = \"net\"\n");
    let error = parse(&prices).expect_err("prices");
    assert!(error.code == "SYN-0419" && error.remedy.contains("products flow so far"), "{error}: {}", error.remedy);
    let products = format!("{GOOD}\n{described}\n[flows.products]\nfrom = \"pim\"\nto = [\"shop\"]\nmode = \"on\"\n");
    assert!(parse(&products).is_ok(), "to a shop");
}
