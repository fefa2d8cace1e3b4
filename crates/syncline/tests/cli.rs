//! The binary over real processes: the newcomer's walk, bad input, the shapes of its JSON.
#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of these tests are tests too")]

#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/copies.rs"]
mod copies;
#[path = "cli/forgotten.rs"]
mod forgotten;
#[path = "cli/hooked.rs"]
mod hooked;
#[path = "cli/lent.rs"]
mod lent;
#[path = "cli/replayed.rs"]
mod replayed;
#[path = "cli/rough.rs"]
mod rough;

use bench::{Bench, get, post, server};
use serde_json::{Value, json};

/// `value` with every leaf replaced by its type, and lists by their first entry.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(rows) => rows.first().map(shape).into_iter().collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
    }
}

fn number(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number at {path} in {value}"))
}

#[test]
fn a_shop_that_wants_signatures_is_entered_with_keys() {
    let bench = Bench::with("signed", &["--orders", "3", "--oauth"], &[]);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let file = bench.file("syncline.toml");
    assert!(
        file.contains("consumer_secret = \"env:SYNCLINE_SHOP_CONSUMER_SECRET\"") && !file.contains("\ntoken"),
        "{file}"
    );
    assert_eq!(bench.json(&["check"], 0)["problems"], json!([]));
    bench.run(&["adopt"], 0);
    assert!(number(&bench.json(&["sync"], 0), "/writes") >= 3);
    bench.put(
        "syncline.toml",
        &file.replace("consumer_key =", "token = \"env:SYNCLINE_SHOP_CONSUMER_KEY\"\nconsumer_key ="),
    );
    let told = bench.json(&["check"], 1);
    assert!(told["error"].to_string().contains("one way in"), "{told}");
}

#[test]
fn what_the_file_offers_about_changed_orders_holds_without_its_marks() {
    let bench = Bench::with("offers", &["--orders", "1"], &[]);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let file = bench.file("syncline.toml");
    let told = |bench: &Bench| bench.json(&["check"], 0)["warnings"].to_string();
    assert!(!told(&bench).contains("sale_amendment"), "nobody asked for it");
    let taken = file.replace("# amendments =", "amendments =").replace("# cancels =", "cancels =");
    assert_eq!(taken.len() + 4, file.len(), "{file}");
    bench.put("syncline.toml", &taken);
    assert!(told(&bench).contains("activate module `sale_amendment`"));
}

#[test]
fn the_walk_of_a_newcomer() {
    let mut bench = Bench::started("walk", 12);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let checked = bench.json(&["check"], 0);
    assert_eq!(checked["problems"], json!([]));
    insta::assert_json_snapshot!("check", shape(&checked));
    let adopted = bench.json(&["adopt"], 0);
    assert!(number(&adopted, "/products/bound") > 5, "{adopted}");
    insta::assert_json_snapshot!("adopt", shape(&adopted));

    let before = bench.erp_ledger();
    let rows = bench.lines(&["plan", "--json"], 2);
    let sums = rows.last().expect("a summary").clone();
    assert_eq!(number(&sums, "/steps") as usize, rows.len() - 1);
    insta::assert_json_snapshot!("plan_summary", shape(&sums));
    let order = rows.iter().find(|row| row["kind"] == "order").expect("an order");
    insta::assert_json_snapshot!("plan_row", order.as_object().expect("an object").keys().collect::<Vec<_>>());
    assert_eq!(bench.erp_ledger(), before, "a plan writes nothing");

    // One row of the plan, then all that is left by `sync`.
    let plan = sums["plan"].as_str().expect("an id").to_string();
    let key = order["key"].as_str().expect("a key").to_string();
    let applied = bench.json(&["apply", &plan, "--only", &key], 2);
    assert_eq!((number(&applied, "/applied"), applied["drifted"].clone()), (1, json!([])));
    insta::assert_json_snapshot!("apply", applied.as_object().expect("an object").keys().collect::<Vec<_>>());
    let again = bench.json(&["apply", &plan, "--only", &key], 2);
    assert_eq!((number(&again, "/applied"), again["done"].clone()), (0, json!([order["id"]])), "{again}");
    bench.killed_sync();
    let synced = bench.json(&["sync"], 0);
    insta::assert_json_snapshot!("sync", shape(&synced));
    assert_eq!(number(&bench.lines(&["plan", "--json"], 0)[0], "/steps"), 0);
    assert_eq!(number(&bench.json(&["sync"], 0), "/writes"), 0, "at rest nothing is written");

    let proof = bench.json(&["verify"], 0);
    assert_eq!(number(&proof, "/drift"), 0);
    assert!(number(&proof, "/flows/orders/compared") > 5);
    insta::assert_json_snapshot!("verify", shape(&proof));
    assert_eq!(
        number(&bench.json(&["verify", "--stored"], 0), "/flows/orders/compared"),
        number(&proof, "/flows/orders/compared")
    );
    insta::assert_json_snapshot!("status", shape(&bench.json(&["status"], 0)));
    assert_eq!(bench.json(&["failures"], 0)["failures"], json!([]));
    canary(&mut bench);
    daemon(&bench);
}

#[test]
fn orders_from_before_the_first_day_are_let_through_by_name() {
    let bench = Bench::started("early", 8);
    bench.run(&["init", "--yes", "--start", "2199-01-01", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let unadopted = bench.json(&["import", "order:000000001"], 1);
    assert_eq!(unadopted["error"]["code"], "SYN-0430", "what was never read is told so: {unadopted}");
    bench.json(&["adopt"], 0);
    bench.json(&["sync"], 0);
    let early = number(&bench.json(&["status"], 0), "/flows/orders/early");
    assert!(early > 5, "{early}");
    let list = bench.json(&["import"], 0);
    insta::assert_json_snapshot!("import", shape(&list));
    assert_eq!(number(&list, "/orders"), early);
    let shop = bench.shop_orders();
    let new = shop.iter().find(|order| order["state"] == "new").expect("a new order");
    let key = new["increment_id"].as_str().expect("a number");
    let told = bench.run(&["explain", key], 0);
    assert!(
        told.contains("unless it is imported") && told.contains(&format!("`syncline import order:{key}`")),
        "{told}"
    );

    let rows = bench.lines(&["import", key, "--json"], 2);
    assert!(rows.iter().any(|row| row["kind"] == "order" && row["key"] == key), "{rows:?}");
    assert_eq!(number(&bench.json(&["status"], 0), "/flows/orders/early"), early, "a look lets nothing through");
    bench.run(&["import", "--yes"], 64);
    assert_eq!(number(&bench.json(&["import", &format!("order:{key}"), "--yes"], 0), "/imported"), 1);
    assert_eq!(number(&bench.json(&["import", key, "--yes"], 0), "/imported"), 0);
    let plan = bench.lines(&["plan", "--json"], 2);
    assert!(plan.iter().any(|row| row["key"] == key));
    bench.json(&["sync"], 0);
    let documents = bench.erp_ledger()["orders"].as_array().expect("orders").clone();
    assert_eq!(documents.iter().filter(|order| order["reference"] == key).count(), 1);
    assert_eq!(documents.iter().filter(|order| order["mark"].is_string()).count(), 1);
    let proof = bench.json(&["verify"], 0);
    assert_eq!((number(&proof, "/drift"), number(&proof, "/flows/orders/compared")), (0, 1));
    assert_eq!(bench.json(&["verify", "--stored"], 0), proof, "both proofs say the same");
    let customer = bench.json(&["import", "customer:1"], 64);
    assert_eq!(customer["error"]["code"], "SYN-0001");
}

/// An order placed later arrives with the next pass, and has its story.
fn canary(bench: &mut Bench) {
    let orders = bench.shop_orders();
    let mut order = orders.iter().find(|order| order["state"] == "new").expect("a new order").clone();
    (order["entity_id"], order["quote_id"]) = (json!(770_001), json!(770_001));
    order["increment_id"] = json!("CANARY-1");
    order["ext_order_id"] = Value::Null;
    let (status, answer) = post(&bench.shop, "/_sim/orders", &order.to_string());
    assert!((200..300).contains(&status), "{status} {answer}");
    assert!(number(&bench.json(&["sync"], 0), "/writes") > 0);
    let ledger = bench.erp_ledger();
    let there = ledger["orders"].as_array().expect("orders").iter().filter(|order| order["reference"] == "CANARY-1");
    assert_eq!(there.count(), 1);
    let story = bench.json(&["explain", "order:CANARY-1"], 0);
    assert_eq!(story["state"], "idle");
    let keys: Vec<&String> = story.as_object().expect("an object").keys().collect();
    insta::assert_json_snapshot!("explain", keys);
    let told = bench.run(&["explain", "CANARY-1"], 0);
    assert!(told.contains("both sides agree") && told.contains("advance(confirm)"), "{told}");
    assert!(bench.json(&["explain", "order:NOWHERE"], 1)["error"]["code"] == "SYN-0430");
}

/// The daemon holds the store; readers work beside it; SIGTERM ends it cleanly.
fn daemon(bench: &Bench) {
    let running = bench.daemon();
    let held = bench.json(&["run"], 75);
    assert_eq!(held["error"]["code"], "SYN-0305");
    // What it has just read again is looked at before it is at rest.
    assert!(bench.comes_to(&["status"], 0), "{}", bench.run(&["status"], 2));
    bench.run(&["verify"], 0);
    assert_eq!(bench.terminated(running), Some(0));
}

#[test]
fn a_run_is_shown_taken_back_and_let_through_again() {
    let bench = Bench::started("undo", 3);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let file = bench.file("syncline.toml");
    let (before, products) = file.split_once("[flows.products]").expect("a flow of products");
    let on = products.replacen("mode = \"off\"", "mode = \"on\"", 1);
    bench.put("syncline.toml", &format!("{before}[flows.products]{on}"));
    bench.json(&["adopt"], 0);
    assert_eq!(bench.json(&["undo"], 0), json!({"runs": [], "of": 0}), "nothing was written yet");
    bench.json(&["sync"], 3);
    bench.json(&["resolve", "--all", "--take", "erp"], 0);
    bench.json(&["sync"], 0);
    let erp = bench.erp.rsplit_once('/').expect("a database").0;
    let edit = json!({"sku": "MUG", "field": "name", "value": "Bidet"}).to_string();
    assert_eq!(post(erp, "/_sim/products", &edit).0, 200);
    let run = number(&bench.json(&["sync"], 0), "/run").to_string();
    let name = |bench: &Bench| {
        let ledger: Value = serde_json::from_str(&get(&bench.shop, "/_sim/ledger").1).expect("a ledger");
        let rows = ledger["products"].as_array().expect("products");
        rows.iter().find(|row| row["sku"] == "MUG").expect("the mug")["name"].clone()
    };
    let runs = bench.json(&["undo"], 0);
    insta::assert_json_snapshot!("undo_runs", shape(&runs));
    assert_eq!((&runs["runs"][0]["command"], &runs["runs"][0]["writes"]), (&json!("sync"), &json!({"products": 1})));

    let asked = bench.json(&["undo", &run], 2);
    insta::assert_json_snapshot!("undo_shown", asked["fields"]);
    assert_eq!(name(&bench), "Bidet", "a look changes nothing");
    assert_eq!(bench.json(&["undo", "4711"], 1)["error"]["code"], "SYN-0407");
    assert_eq!(bench.json(&["undo", &run, "--only", "PEN"], 1)["error"]["code"], "SYN-0408");
    bench.run(&["undo", "--yes"], 64);
    let done = bench.json(&["undo", &run, "--only", "variant:MUG", "--yes"], 3);
    insta::assert_json_snapshot!("undo", done.as_object().expect("an object").keys().collect::<Vec<_>>());
    assert_eq!((number(&done, "/undone"), done["unfinished"].clone(), name(&bench)), (1, json!([]), json!("Mug")));

    assert_eq!(number(&bench.json(&["sync"], 3), "/writes"), 0, "what the run wrote does not cross again");
    assert_eq!(bench.json(&["conflicts"], 3)["conflicts"][0]["undone"], true);
    assert!(bench.run(&["conflicts"], 3).contains("undone"));
    assert_eq!(number(&bench.json(&["undo", &run], 0), "/back"), 0, "it was undone before");
    bench.json(&["resolve", "variant:MUG", "--take", "erp"], 0);
    bench.json(&["sync"], 0);
    assert_eq!(name(&bench), "Bidet", "a person let it through");
    let orders = bench.json(&["undo", "1"], 0);
    assert!(orders["stays"].as_array().is_some_and(|rows| rows.iter().any(|row| row["steps"][0] == "create")));
}

#[test]
fn a_website_of_a_shop_is_named_by_its_code() {
    let bench = Bench::started("websites", 0);
    let erp = bench.erp_flag();
    let init = |website: &str| {
        let shop = format!("{}#{website}", bench.shop_flag());
        ["init", "--yes", "--start", "all", "--shop", &shop, "--erp", &erp].map(str::to_string)
    };
    let (wrong, right) = (init("uk"), init("base"));
    let told = bench.json(&wrong.each_ref().map(String::as_str), 1);
    assert!(told["error"].to_string().contains("it has `base` (Main Website)"), "{told}");
    bench.run(&right.each_ref().map(String::as_str), 0);
    assert!(bench.file("syncline.toml").contains("website = \"base\""));
    let checked = bench.json(&["check"], 0);
    assert_eq!(checked["systems"]["shop"]["websites"][0]["code"], "base", "{checked}");
}

#[test]
fn two_shops_on_one_erp_in_one_file() {
    let mut bench = Bench::started("shops", 4);
    let (outlet, address) = bench.outlet(4);
    let (shop, erp) = (bench.shop_flag(), bench.erp_flag());
    let twice = bench.json(&["init", "--yes", "--shop", &shop, "--shop", &shop, "--erp", &erp], 64);
    assert!(twice["error"].to_string().contains("two systems are called `shop`"), "{twice}");
    bench.run(&["init", "--yes", "--start", "all", "--shop", &shop, "--shop", &outlet, "--erp", &erp], 0);
    let file = bench.file("syncline.toml");
    assert!(file.contains("from = [\"shop\", \"outlet\"]") && file.contains("{system}-{number}"), "{file}");
    let (before, inventory) = file.split_once("[flows.inventory]").expect("the flow");
    let inventory = inventory.replacen("mode = \"off\"", "mode = \"watch\"", 1);
    bench.put("syncline.toml", &format!("{before}[flows.inventory]{inventory}"));
    assert_eq!(bench.json(&["check"], 0)["problems"], json!([]));
    let adopted = bench.json(&["adopt"], 0);
    assert_eq!(adopted["products"]["shops"].as_array().map(Vec::len), Some(2), "{adopted}");
    let stock = bench.lines(&["plan", "inventory", "--json"], 2);
    for name in ["shop", "outlet"] {
        assert!(stock.iter().any(|row| row["target"] == name), "a row for each shop: {stock:?}");
    }
    bench.json(&["sync"], 0);
    // Stock is only watched: it drifts.
    let proof = bench.json(&["verify"], 2);
    assert_eq!(number(&proof, "/flows/orders/different") + number(&proof, "/flows/orders/missing"), 0, "{proof}");
    assert!(number(&proof, "/flows/orders/compared") > 4, "orders of both shops are compared: {proof}");
    // The shops' orders have the same numbers; each is in the ERP under its own.
    let references: Vec<String> = bench.erp_ledger()["orders"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| row["reference"].as_str().map(str::to_string))
        .collect();
    assert!(
        ["shop-", "outlet-"].iter().all(|name| references.iter().any(|one| one.starts_with(name))),
        "{references:?}"
    );
    each_shops_order_has_a_name(&bench);
    assert_eq!(bench.json(&["check"], 0)["problems"], json!([]), "a shop of the store is known again");
    // One shop is down: the other one's orders go on, and who is down is told.
    let file = bench.file("syncline.toml");
    bench.put("syncline.toml", &file.replace(&address, "http://127.0.0.1:1"));
    let orders = bench.shop_orders();
    let mut order = orders.first().expect("an order").clone();
    (order["state"], order["status"]) = (json!("new"), json!("pending"));
    (order["entity_id"], order["quote_id"], order["increment_id"]) = (json!(770_001), json!(770_001), json!("A-1"));
    order["ext_order_id"] = Value::Null;
    order["payment"]["method"] = json!("checkmo");
    let (status, answer) = post(&bench.shop, "/_sim/orders", &order.to_string());
    assert!((200..300).contains(&status), "{status} {answer}");
    (order["entity_id"], order["quote_id"], order["increment_id"]) = (json!(770_002), json!(770_002), json!("A-2"));
    for item in order["items"].as_array_mut().expect("items") {
        (item["sku"], item["product_id"]) = (json!("NO-SUCH-THING"), json!(990_001));
    }
    let (status, answer) = post(&bench.shop, "/_sim/orders", &order.to_string());
    assert!((200..300).contains(&status), "{status} {answer}");
    let told = bench.json(&["sync"], 1);
    assert!(told["error"].to_string().contains("outlet"), "{told}");
    let references = bench.erp_ledger()["orders"].to_string();
    assert!(references.contains("shop-A-1"), "{references}");
    what_is_held_is_told_by_the_name_it_is_taken_up_by(&bench);
}

fn what_is_held_is_told_by_the_name_it_is_taken_up_by(bench: &Bench) {
    let story = bench.run(&["explain", "order:shop/A-2"], 0);
    assert!(story.contains("keeps it back"), "{story}");
    let told = bench.json(&["failures"], 3);
    let rows = told["failures"].as_array().expect("rows");
    let held = rows.iter().find(|row| row["key"] == "A-2").expect("the order that is held");
    assert_eq!((&held["system"], &held["called"]), (&json!("shop"), &json!("shop/A-2")), "{held}");
    assert!(bench.run(&["failures"], 3).contains("order:shop/A-2: held SYN-"));
    assert_eq!(bench.json(&["retry", "order:shop/A-2"], 0)["retried"], 1);
}

/// Both shops have an order of this number: each is named with its shop.
fn each_shops_order_has_a_name(bench: &Bench) {
    let told = bench.json(&["explain", "order:000000001"], 1);
    let what = told["error"]["what"].as_str().expect("a text");
    assert_eq!(told["error"]["code"], "SYN-0431");
    for name in ["shop", "outlet"] {
        let named = format!("order:{name}/000000001");
        assert!(what.contains(&format!("{named} (")), "{what}");
        let story = bench.json(&["explain", &named], 0);
        assert_eq!(story["key"], "000000001");
        assert!(story["sides"][name]["id"].is_string(), "{story}");
        assert_eq!(bench.json(&["explain", &named["order:".len()..]], 0), story);
    }
}

#[test]
fn an_erp_without_its_unique_key_is_told_so() {
    let bench = Bench::with("draft", &["--orders", "3"], &["--no-web-shop"]);
    bench.run(&["init", "--yes", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let checked = bench.json(&["check"], 0);
    let guards = checked.pointer("/systems/erp/guards").and_then(Value::as_array).expect("guards");
    let order = guards.iter().find(|row| row["kind"] == "order").expect("the guard of orders");
    assert_eq!((&order["guard"], &order["settle_s"]), (&json!("draft-elect"), &json!(300)));
    let file = bench.file("syncline.toml");
    assert!(file.contains("start = \"20"), "today is the default: {file}");
}

#[test]
fn nothing_is_written_where_a_system_does_not_answer_as_one() {
    let bench = Bench::with("answers", &["--orders", "0"], &[]);
    let erp = bench.erp_flag();
    let html = server("text/html", "<!DOCTYPE html><html><body>Maintenance</body></html>");
    let half = server("application/json", r#"[{"id":1,"code":"de"#);
    for (shop, code, words) in [
        ("http://127.0.0.1:1".to_string(), "SYN-0201", "refused"),
        (html, "SYN-0201", "HTML page"),
        (half, "SYN-0201", "ends in the middle"),
        (bench.shop.replace("http://", "https://"), "SYN-0208", "certificate"),
    ] {
        let shop = format!("magento={shop}");
        let told = bench.json(&["init", "--yes", "--shop", &shop, "--erp", &erp], 1);
        let error = &told["error"];
        assert_eq!(error["code"], code, "{shop}: {told}");
        assert!(error["what"].as_str().is_some_and(|what| what.contains(words)), "{shop}: {told}");
        assert!(error["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()));
        assert!(!bench.has("syncline.toml"), "nothing half-written");
    }
    let denied = bench.json_as("wrong", &["init", "--yes", "--shop", &bench.shop_flag(), "--erp", &erp], 1);
    assert_eq!(denied["error"]["code"], "SYN-0207");
    let missing = bench.json_as("", &["init", "--yes", "--shop", &bench.shop_flag()], 64);
    assert!(missing["error"]["what"].as_str().is_some_and(|what| what.contains("--erp") && what.contains("TOKEN")));
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_its_line() {
    let bench = Bench::with("file", &["--orders", "2"], &[]);
    let absent = bench.json(&["status"], 1);
    assert_eq!(absent["error"]["code"], "SYN-0410");
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let again = bench.json(&["init", "--yes", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 1);
    assert_eq!(again["error"]["code"], "SYN-0434");
    let good = bench.file("syncline.toml");

    bench.put("syncline.toml", &good.replacen("token =", "tokne =", 1));
    let typo = bench.json(&["check"], 1);
    assert_eq!(typo["error"]["what"], "syncline.toml:8: unknown key `tokne` in [systems.shop]");
    assert_eq!(typo["error"]["remedy"], "did you mean `token`?");
    bench.put("syncline.toml", &good.replacen("\"19%\" = \"VAT 19%\"", "\"19%\" = \"VAT 20%\"", 1));
    let row = bench.json(&["check"], 1);
    assert_eq!(row.pointer("/problems/0/code"), Some(&json!("SYN-0424")), "{row}");
    bench.put("syncline.toml", &good);
    let unset = bench.json_as("", &["check"], 1);
    assert_eq!(unset["error"]["code"], "SYN-0416");

    let uids = |text: &str| text.lines().filter(|line| line.starts_with("uid")).map(str::to_string).collect::<Vec<_>>();
    bench.run(&["init", "--force", "--yes", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    assert_eq!(uids(&bench.file("syncline.toml")), uids(&good), "a uid is never drawn twice for one system");
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let bench = Bench::with("newer", &["--orders", "2"], &[]);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let store = rusqlite::Connection::open(bench.path("syncline.db")).expect("a store");
    store.pragma_update(None, "user_version", 99).expect("a version");
    for command in ["sync", "status", "verify"] {
        let told = bench.json(&[command], 1);
        assert_eq!(told["error"]["code"], "SYN-0303", "{told}");
        assert!(told["error"]["remedy"].as_str().is_some_and(|remedy| remedy.contains("newer Syncline")), "{told}");
    }
}

#[test]
fn the_command_line_says_what_it_does_not_understand() {
    let bench = Bench::alone("usage");
    assert_eq!(bench.json(&["sycn"], 64)["error"]["code"], "SYN-0001");
    assert_eq!(bench.json(&["plan", "order"], 1)["error"]["code"], "SYN-0410");
    bench.run(&["--help"], 0);
    bench.run(&["sim", "serve", "--help"], 0);
    let catalogue = bench.json(&["sim", "catalogue", "--seed", "3", "--products", "40"], 0);
    assert_eq!(catalogue.as_array().map(Vec::len), Some(40));
    let systems = bench.json(&["systems"], 0);
    for system in systems.as_array().expect("a list") {
        for (kind, does) in system["kinds"].as_object().expect("kinds") {
            let guard = does["guard"].as_str().unwrap_or_default();
            assert!(["key", "unique", "draft-elect", "look", "none"].contains(&guard), "{kind}: {does}");
            assert!(does["steps"].as_array().is_some_and(|steps| {
                steps.iter().all(|step| step.as_str().is_some_and(|step| step == step.to_lowercase()))
            }));
        }
    }
    insta::assert_json_snapshot!("systems", shape(&systems[1]));
}

#[test]
fn a_reader_that_leaves_is_no_reason_to_panic() {
    let bench = Bench::alone("pipe");
    let stderr = bench.unread(&["sim", "catalogue", "--products", "4000"]);
    assert!(!stderr.contains("panicked"), "{stderr}");
    let told = get(&server("text/plain", "fine"), "/");
    assert_eq!(told.1, "fine", "the helper of these tests works");
}

#[test]
fn orders_another_connector_brought_are_adopted_and_not_made_again() {
    let bench = Bench::with("cutover", &["--orders", "20"], &["--orders", "20", "--adopted", "12"]);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let file = bench.file("syncline.toml");
    let told = |adopt: &str| {
        bench.put("syncline.toml", &file.replacen("[flows.orders]\n", &format!("[flows.orders]\nadopt = {adopt}\n"), 1))
    };
    told("{ field = \"colour\", value = \"{number}\" }");
    let checked = bench.json(&["check"], 1);
    assert!(checked["problems"].to_string().contains("SYN-0462"), "{checked}");
    told("{ field = \"reference\", value = \"{number}\" }");
    assert_eq!(bench.json(&["check"], 0)["problems"], json!([]));
    bench.run(&["adopt"], 0);
    let before = bench.erp_ledger()["orders"].as_array().expect("orders").len();
    // Two guests of one e-mail in two ways of writing are one party there: that is for a person.
    let adopted = bench.json(&["adopt", "orders"], 3);
    insta::assert_json_snapshot!("adopt_orders", shape(&adopted));
    assert_eq!(number(&adopted, "/orders/bound") as usize, before, "{adopted}");
    assert!(bench.run(&["adopt", "orders"], 3).contains(&format!("0 bound now, {before} before")));
    let refused = bench.json(&["adopt", "customers", "--numbers-to-shop"], 1);
    assert_eq!(refused["error"]["code"], "SYN-0463", "{refused}");
    bench.run(&["sync"], 0);
    let ledger = bench.erp_ledger();
    let orders = ledger["orders"].as_array().expect("orders");
    let mut numbers: Vec<&str> = orders.iter().filter_map(|row| row["reference"].as_str()).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.len() == all && all > before, "each order once: {numbers:?}");
    assert_eq!(number(&bench.json(&["verify"], 0), "/drift"), 0);
}
