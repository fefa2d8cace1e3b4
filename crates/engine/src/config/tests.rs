//! What is wrong in a file is named with its line and a remedy.

mod described;
mod papers;

use super::*;
use syncline_core::id::SystemName;
use syncline_core::kind::Kind;
use syncline_core::path::Path as Field;
use syncline_core::rules::{Amendments, Branch, Cancels, FieldPolicy, Release, ReleaseRule};

const GOOD: &str = r#"store = "agreed.db"
[systems.shop]
kind = "magento"
uid = "7f3k"
url = "https://shop.example"
token = "env:SYNCLINE_SHOP_TOKEN"

[systems.erp]
kind = "tryton"
uid = "q2xd"
url = "https://erp.example/acme"
login = "sync"
password = "file:erp.secret"
settle = "5m"

[flows.customers]
from = "shop"
to = ["erp"]

[flows.orders]
from = "shop"
to = ["erp"]
needs = ["customers", "products"]
every = "30s"
start = "2026-11-01"
release = { checkmo = "placed", "*" = "authorized" }
[flows.orders.taxes]
"19%" = "VAT 19%"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("/etc/acme/syncline.toml"), text)
}

fn error(from: &str, to: &str) -> ConfigError {
    assert!(GOOD.contains(from), "{from}");
    parse(&GOOD.replacen(from, to, 1)).expect_err(to)
}

#[test]
fn a_good_file_gives_what_it_says() {
    let config = parse(GOOD).expect("good");
    assert_eq!(config.store, Path::new("/etc/acme/agreed.db"));
    let erp = &config.systems[&SystemName::new("erp")];
    assert_eq!((erp.settle_s, erp.timeout), (Some(300), Duration::from_secs(30)));
    assert_eq!(erp.password, Some(Secret::File("/etc/acme/erp.secret".into())));
    let flows = config.in_force();
    assert!(flows.customers.len() == 1 && flows.watched.is_empty());
    assert_eq!(flows.every_s, 30);
    let rules = flows.orders.first().expect("orders");
    assert!(rules.creates_customers);
    assert_eq!(rules.row("taxes", "19%"), Some("VAT 19%"));
    assert_eq!(rules.start, Some(jiff::civil::date(2026, 11, 1)));
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_what_was_meant() {
    let wrong = error("token =", "tokne =");
    assert_eq!(
        wrong.to_string(),
        "/etc/acme/syncline.toml:6: unknown key `tokne` in [systems.shop]",
        "remedy: {}",
        wrong.remedy
    );
    assert_eq!(wrong.remedy, "did you mean `token`?");
    let wrong = error("[flows.orders]\n", "[flows.oders]\n");
    assert_eq!((wrong.code, wrong.remedy.as_str()), ("SYN-0412", "did you mean `orders`?"));
    assert!(wrong.what.ends_with("`oders` in [flows]"), "{}", wrong.what);
    assert!(error("needs =", "fields = {}\nneeds =").remedy.contains("[flows.products]"));
    assert!(error("needs =", "transforms = {}\nneeds =").remedy.contains("not built yet"));
}

#[test]
fn broken_toml_and_wrong_types_have_their_line() {
    let wrong = error("uid = \"7f3k\"", "uid = 7f3k");
    assert_eq!((wrong.code, wrong.line), ("SYN-0411", Some(4)));
    let wrong = error("uid = \"7f3k\"", "uid = 7");
    assert_eq!((wrong.code, wrong.line), ("SYN-0413", Some(4)));
    assert!(wrong.what.starts_with("`uid`:"), "{wrong}");
}

#[test]
fn systems_are_checked() {
    for (from, to, code, line) in [
        ("uid = \"q2xd\"", "uid = \"7f3k\"", "SYN-0417", Some(4)),
        ("uid = \"q2xd\"\n", "", "SYN-0414", Some(8)),
        ("uid = \"q2xd\"", "uid = \"Q2\"", "SYN-0413", Some(10)),
        ("kind = \"tryton\"", "kind = \"tryto\"", "SYN-0413", Some(9)),
        ("token = \"env:SYNCLINE_SHOP_TOKEN\"", "token = \"abc\"", "SYN-0415", Some(6)),
        ("token = \"env:SYNCLINE_SHOP_TOKEN\"\n", "", "SYN-0414", Some(2)),
        ("password = \"file:erp.secret\"\n", "", "SYN-0414", Some(8)),
        ("https://shop.example", "shop.example", "SYN-0413", Some(5)),
        ("https://shop.example", "https://me:secret@shop.example", "SYN-0415", Some(5)),
        ("settle = \"5m\"", "settle = \"5 minutes\"", "SYN-0413", Some(14)),
        ("settle = \"5m\"", "token = \"env:X\"", "SYN-0412", Some(14)),
        ("settle = \"5m\"", "calls = 0", "SYN-0413", Some(14)),
        ("settle = \"5m\"", "timeout = \"2h\"", "SYN-0413", Some(14)),
    ] {
        let wrong = error(from, to);
        assert_eq!((wrong.code, wrong.line), (code, line), "{to}: {wrong}");
        assert!(!wrong.remedy.is_empty());
    }
}

#[test]
fn a_shop_is_entered_in_one_way() {
    let token = "token = \"env:SYNCLINE_SHOP_TOKEN\"\n";
    let four = ["consumer_key", "consumer_secret", "access_token", "access_token_secret"];
    let all: String = four.iter().map(|key| format!("{key} = \"env:{}\"\n", key.to_uppercase())).collect();
    let config = parse(&GOOD.replace(token, &all)).expect("four keys");
    let shop = &config.systems[&SystemName::new("shop")];
    let keys = shop.keys.as_ref().expect("keys");
    assert_eq!(keys.access_token_secret, Secret::Env("ACCESS_TOKEN_SECRET".into()));
    assert!(shop.token.is_none());
    for key in four {
        let some = all.lines().filter(|line| !line.starts_with(&format!("{key} "))).collect::<Vec<_>>().join("\n");
        let wrong = error(token, &format!("{some}\n"));
        assert_eq!((wrong.code, wrong.line), ("SYN-0414", Some(2)), "{wrong}");
        assert!(wrong.what.contains(&format!("no `{key}`")), "{wrong}");
    }
    let login = "login = \"sync\"\npassword = \"env:P\"\n";
    for (ways, second) in [(format!("{token}{all}"), "consumer_key"), (format!("{all}{login}"), "login")] {
        let wrong = error(token, &ways);
        assert_eq!(wrong.code, "SYN-0412", "{wrong}");
        assert!(wrong.what.contains(&format!("and `{second}`")) && wrong.remedy.contains("one way in"), "{wrong}");
    }
    assert_eq!(error("settle = \"5m\"", "access_token = \"env:X\"").code, "SYN-0412");
    assert_eq!(error(token, &all.replace("env:CONSUMER_SECRET", "hush")).code, "SYN-0415");
}

#[test]
fn flows_are_checked() {
    let orders = "[flows.orders]\nfrom = \"shop\"\nto = [\"erp\"]";
    for (from, to, code) in [
        (orders, "[flows.orders]\nfrom = \"shopp\"\nto = [\"erp\"]", "SYN-0418"),
        (orders, "[flows.orders]\nfrom = \"shop\"\nto = [\"shop\"]", "SYN-0418"),
        (orders, "[flows.orders]\nfrom = \"shop\"\nto = []", "SYN-0418"),
        (orders, "[flows.orders]\nto = [\"erp\"]", "SYN-0418"),
        (orders, "[flows.orders]\nfrom = \"erp\"\nto = [\"shop\"]", "SYN-0419"),
        (orders, "[flows.orders]\ntax = \"shop\"\nfrom = \"shop\"\nto = [\"erp\"]", "SYN-0419"),
        (orders, "[flows.orders]\nmode = \"of\"\nfrom = \"shop\"\nto = [\"erp\"]", "SYN-0413"),
        (orders, "[flows.orders]\nmode = \"off\"\nfrom = \"shop\"\nto = [\"erp\"]\nnumber = \"{numer}\"", "SYN-0413"),
        ("[flows.customers]", "[flows.products]\nfrom=\"erp\"\nto=[\"shop\"]\nsafety=2\n[flows.customers]", "SYN-0412"),
        ("start = \"2026-11-01\"\n", "", "SYN-0414"),
        ("start = \"2026-11-01\"", "start = \"yesterday\"", "SYN-0413"),
        ("checkmo = \"placed\"", "checkmo = \"payed\"", "SYN-0413"),
        ("needs = [\"customers\"", "needs = [\"costumers\"", "SYN-0413"),
    ] {
        let wrong = error(from, to);
        assert_eq!(wrong.code, code, "{to}: {wrong}");
        assert!(wrong.line.is_some() && !wrong.remedy.is_empty(), "{to}: {wrong}");
    }
}

#[test]
fn modes_decide_what_is_in_force() {
    let off = parse(&GOOD.replace("every = \"30s\"", "mode = \"watch\"")).expect("good");
    assert_eq!(off.in_force().watched, [Flow::Orders]);
    let none = parse("[systems]").expect("an empty file is a file").in_force();
    assert!(none.orders.is_empty() && none.customers.is_empty());
}

#[test]
fn a_missing_secret_names_its_variable() {
    let wrong =
        Secret::Env("SYNCLINE_NOT_SET_AT_ALL".into()).read("syncline.toml", "shop", "token").expect_err("unset");
    assert_eq!(wrong.code, "SYN-0416");
    assert!(wrong.what.contains("SYNCLINE_NOT_SET_AT_ALL"));
    assert_eq!(format!("{:?}", Secret::Plain("hush".into())), "plain");
}

#[test]
fn a_secret_that_cannot_be_sent_is_told_before_anything_is() {
    let place = std::env::temp_dir().join(format!("syncline-secret-{}", std::process::id()));
    let read = |bytes: &[u8], key: &str| {
        std::fs::write(&place, bytes).unwrap();
        Secret::File(place.clone()).read("syncline.toml", "shop", key)
    };
    for ends in ["abc", "abc\n", "abc\r\n", " abc \n\n", "\u{feff}abc\n"] {
        assert_eq!(read(ends.as_bytes(), "token").as_deref(), Ok("abc"), "{ends:?}");
    }
    assert_eq!(read("pass wörd\n".as_bytes(), "password").as_deref(), Ok("pass wörd"));
    for (text, key, what) in [
        ("abc\ndef", "token", "a line break as character 4"),
        ("abc def", "token", "a blank as character 4"),
        ("“abc”", "token", "a letter that no token has as character 1"),
        ("abc\u{7}", "password", "a control character as character 4"),
        ("ab\r\ncd", "password", "a line break as character 3"),
        ("sync\nme", "login", "a line break as character 5"),
    ] {
        let wrong = read(text.as_bytes(), key).expect_err(text);
        assert_eq!(wrong.code, "SYN-0427");
        assert!(wrong.what.starts_with(&format!("[systems.shop] {key}: ")) && wrong.what.contains(what), "{wrong}");
        assert!(!wrong.what.contains("abc") && wrong.remedy.contains("on one line"), "{wrong}");
    }
    std::fs::remove_file(&place).unwrap();
    assert_eq!(Secret::Plain("a\nb".into()).read("syncline.toml", "erp", "login").expect_err("plain").code, "SYN-0427");
}

const PRODUCTS: &str = r#"
[flows.products]
from = "erp"
to = ["shop"]
mode = "on"
fields = { "texts.*.description" = "shop", "texts.de.name" = "merge", weight = "keep", active = "merge:shop" }
"#;

#[test]
fn each_field_has_the_policy_that_names_it_most_closely() {
    let config = parse(&format!("{GOOD}{PRODUCTS}")).expect("good");
    let rules = config.in_force().products.expect("products");
    let pair = rules.pairs.first().expect("a pair");
    let policy = |path: &str| pair.policy(&syncline_core::path::Path::try_from(path.to_string()).expect("a path"));
    let owner = |name: &str| FieldPolicy::Owner(SystemName::new(name));
    assert_eq!(policy("texts.de.description"), owner("shop"));
    assert_eq!(policy("texts.de.name"), FieldPolicy::Merge(None));
    assert_eq!(policy("texts.fr.name"), owner("erp"));
    assert_eq!(policy("weight"), FieldPolicy::Keep);
    assert_eq!(policy("active"), FieldPolicy::Merge(Some(SystemName::new("shop"))));
}

#[test]
fn nothing_is_made_elsewhere_unless_the_file_says_so() {
    let creates = |text: &str| {
        parse(text).expect("good").in_force().products.expect("products").pairs.iter().any(|pair| pair.creates)
    };
    let plain = format!("{GOOD}{PRODUCTS}");
    assert!(!creates(&plain));
    assert!(creates(&plain.replace("mode = \"on\"\nfields", "mode = \"on\"\ncreate = true\nfields")));
    let wrong = error("needs =", "create = true\nneeds =");
    assert_eq!(wrong.code, "SYN-0412");
    assert!(wrong.remedy.contains("[flows.products]"), "{wrong}");
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused_with_its_line() {
    let wrong = |from: &str, to: &str| {
        let text = format!("{GOOD}{PRODUCTS}").replacen(from, to, 1);
        let wrong = parse(&text).expect_err(to);
        format!("{wrong} {}", wrong.remedy)
    };
    assert!(wrong("weight =", "wieght =").contains("did you mean `weight`"), "{}", wrong("weight =", "wieght ="));
    assert!(wrong("\"merge:shop\"", "\"merge:store\"").contains("`merge:erp`"));
    assert!(wrong("weight = \"keep\"", "weight = \"mine\"").contains("`keep`"));
    let rivals = wrong("weight = \"keep\"", "\"texts.de.*\" = \"keep\"");
    assert!(rivals.contains("texts.*.description"), "{rivals}");
    assert!(wrong("mode = \"on\"", "mode = \"on\"\nsafety = 3").contains("[flows.inventory]"));
}

const OUTLET: &str = r#"
[systems.outlet]
kind = "magento"
uid = "9k2m"
url = "https://outlet.example"
token = "env:SYNCLINE_OUTLET_TOKEN"

[flows.inventory]
from = "erp"
to = ["shop", "outlet"]
safety = 1
sources = { default = ["WH"] }
[flows.inventory.at.outlet]
safety = 3

[flows.prices]
from = "erp"
to = ["shop", "outlet"]
tax = "net"
lists = { base = "list" }
[flows.prices.at.outlet]
lists = { base = "outlet list" }

[flows.products]
mode = "on"
from = "erp"
to = ["shop", "outlet"]
fields = { "texts.*.description" = "shop", weight = "keep" }
[flows.products.at.outlet]
create = true
fields = { weight = "outlet" }
"#;

/// The file with two shops whose orders go to one ERP.
fn two_shops() -> String {
    let both = GOOD.replace("from = \"shop\"", "from = [\"shop\", \"outlet\"]");
    format!("{both}[flows.orders.at.outlet]\nnumber = \"O{{number}}\"\ntaxes = {{ \"7%\" = \"VAT 7%\" }}\n{OUTLET}")
}

#[test]
fn what_is_said_once_holds_for_every_shop_but_where_one_says_otherwise() {
    let flows = parse(&two_shops()).expect("good").in_force();
    let [shop, outlet] = flows.orders.as_slice() else { panic!("{:?}", flows.orders) };
    assert_eq!((shop.reference("", "12"), outlet.reference("", "12")), ("12".to_string(), "O12".to_string()));
    assert_eq!((shop.row("taxes", "7%"), outlet.row("taxes", "7%")), (None, Some("VAT 7%")));
    assert_eq!(outlet.row("taxes", "19%"), Some("VAT 19%"), "its own rows stand beside those of all");
    let stock = flows.inventory.expect("inventory");
    let safety: Vec<String> = stock.targets.iter().map(|target| target.safety.to_string()).collect();
    assert_eq!(safety, ["1", "3"]);
    assert!(stock.targets.iter().all(|target| target.places.len() == 1));
    let lists = flows.prices.expect("prices").lists;
    assert_eq!(lists[&SystemName::new("outlet")]["base"], "outlet list");
    assert_eq!(lists[&SystemName::new("shop")]["base"], "list");
    let products = flows.products.expect("products");
    let [of_shop, of_outlet] = products.pairs.as_slice() else { panic!("{products:?}") };
    assert!(of_outlet.creates && !of_shop.creates);
    let path = |path: &str| syncline_core::path::Path::try_from(path.to_string()).expect("a path");
    let owner = |name: &str| FieldPolicy::Owner(SystemName::new(name));
    assert_eq!(of_shop.policy(&path("texts.de.description")), owner("shop"));
    assert_eq!(of_outlet.policy(&path("texts.de.description")), owner("erp"), "the shop's text comes by the ERP");
    assert_eq!(
        (of_shop.policy(&path("weight")), of_outlet.policy(&path("weight"))),
        (FieldPolicy::Keep, owner("outlet"))
    );
}

#[test]
fn what_several_shops_cannot_share_is_refused_with_its_line() {
    for (from, to, code, told) in [
        ("number = \"O{number}\"", "number = \"{number}\"", "SYN-0418", "`{system}-{number}`"),
        ("[flows.inventory.at.outlet]", "[flows.inventory.at.outlte]", "SYN-0418", "did you mean `outlet`"),
        ("[flows.orders.at.outlet]", "[flows.orders.at.erp]", "SYN-0418", "it has: shop, outlet"),
        ("safety = 3", "create = true", "SYN-0412", "[flows.products]"),
        ("safety = 3", "saftey = 3", "SYN-0412", "did you mean `safety`"),
        ("to = [\"shop\", \"outlet\"]\nsafety", "to = [\"shop\", \"shop\"]\nsafety", "SYN-0418", "once"),
        ("to = [\"shop\", \"outlet\"]\ntax", "to = [\"shop\", \"outlte\"]\ntax", "SYN-0418", "`outlet`"),
        (
            "from = \"erp\"\nto = [\"shop\", \"outlet\"]\nfields",
            "from = [\"erp\", \"shop\"]\nto = [\"outlet\"]\nfields",
            "SYN-0418",
            "master",
        ),
    ] {
        let text = two_shops();
        assert!(text.contains(from), "{from}");
        let wrong = parse(&text.replacen(from, to, 1)).expect_err(to);
        let remedy = wrong.remedy.replace("= \"{system}-{number}\"", "`{system}-{number}`");
        assert!(wrong.line.is_some() && wrong.code == code && remedy.contains(told), "{to}: {wrong} {remedy}");
    }
    let by_system = two_shops().replacen("number = \"O{number}\"\n", "", 1);
    let by_system = by_system.replacen("[flows.orders]\n", "[flows.orders]\nnumber = \"{system}-{number}\"\n", 1);
    let orders = parse(&by_system).expect("good").in_force().orders;
    assert_eq!(orders[1].reference("1", "12"), "outlet-12");
    assert_eq!(
        parse(&two_shops().replacen(
            "[flows.customers]\nfrom = [\"shop\", \"outlet\"]",
            "[flows.customers]\nfrom = \"shop\"",
            1
        ))
        .expect_err("apart")
        .code,
        "SYN-0419"
    );
}

#[test]
fn websites_of_one_shop_are_systems_that_each_name_theirs() {
    let outlet = "url = \"https://outlet.example\"\n";
    let with = |shop: &str, second: &str| {
        let text = two_shops().replacen(outlet, &format!("url = \"https://Shop.example/\"\n{second}"), 1);
        let text = text.replacen("safety = 3\n", "safety = 3\nsources = { us_depot = [\"WH\"] }\n", 1);
        parse(&text.replacen("uid = \"7f3k\"\n", &format!("uid = \"7f3k\"\n{shop}"), 1))
    };
    let (base, us) = ("website = \"base\"\n", "website = \"us\"\n");
    let systems = with(base, us).expect("two websites").systems;
    let website = |name: &str| systems[&SystemName::new(name)].website.clone();
    assert_eq!((website("shop").as_deref(), website("outlet").as_deref()), (Some("base"), Some("us")));
    for (shop, second, code) in
        [("", us, "SYN-0467"), (base, "", "SYN-0467"), ("", "", "SYN-0467"), (us, us, "SYN-0468")]
    {
        let wrong = with(shop, second).expect_err("not told apart");
        assert!(wrong.code == code && wrong.line.is_some(), "{shop}{second}: {wrong}");
        assert!(wrong.what.contains("shop") && wrong.remedy.contains("uid"), "{wrong} {}", wrong.remedy);
    }
    assert_eq!(error("settle = \"5m\"", "website = \"us\"").code, "SYN-0412");
}

#[test]
fn a_place_of_two_websites_is_told_by_one_of_them() {
    let outlet = "url = \"https://outlet.example\"\n";
    let text = two_shops().replacen(outlet, "url = \"https://shop.example\"\nwebsite = \"us\"\n", 1);
    let text = text.replacen("uid = \"7f3k\"\n", "uid = \"7f3k\"\nwebsite = \"base\"\n", 1);
    let wrong = parse(&text).expect_err("two tell one figure");
    assert!(wrong.code == "SYN-0473" && wrong.line.is_some() && wrong.what.contains("`default`"), "{wrong}");
    let own = "safety = 3\nsources = { us_depot = [\"WH\"] }\n";
    parse(&text.replacen("safety = 3\n", own, 1)).expect("each has its own");
    let one = text.replacen("to = [\"shop\", \"outlet\"]\nsafety = 1", "to = [\"shop\"]\nsafety = 1", 1);
    parse(&one.replacen("[flows.inventory.at.outlet]\nsafety = 3\n", "", 1)).expect("both sell from it");
}

#[test]
fn orders_of_each_shop_are_booked_in_the_company_that_is_said() {
    let branch = |text: &str, at: usize| parse(text).expect("good").in_force().orders[at].branch.clone();
    assert_eq!(branch(&two_shops(), 0), Branch::default());
    let all = two_shops().replacen("[flows.orders]\n", "[flows.orders]\ncompany = \"ACME\"\nweb_shop = \"Shop\"\n", 1);
    let named = |company: &str, web_shop: Option<&str>| Branch {
        company: Some(company.to_string()),
        web_shop: web_shop.map(str::to_string),
        warehouse: None,
    };
    assert_eq!((branch(&all, 0), branch(&all, 1)), (named("ACME", Some("Shop")), named("ACME", Some("Shop"))));
    let own = "[flows.orders.at.outlet]\n";
    let apart = all.replacen(own, &format!("{own}company = \"Beta\"\n"), 1);
    assert_eq!((branch(&apart, 0), branch(&apart, 1)), (named("ACME", Some("Shop")), named("Beta", None)));
    let wrong = parse(&two_shops().replacen("safety = 3", "company = \"Beta\"", 1)).expect_err("stock has none");
    assert_eq!(wrong.code, "SYN-0412");
}

#[test]
fn customers_of_two_shops_are_apart_unless_the_file_matches_them() {
    let matched = |text: &str| parse(text).expect("good").in_force().one_by_email;
    assert!(!matched(&two_shops()));
    assert!(matched(&two_shops().replacen("[flows.customers]\n", "[flows.customers]\nmatch = \"email\"\n", 1)));
    let wrong = parse(&two_shops().replacen("[flows.customers]\n", "[flows.customers]\nmatch = \"name\"\n", 1));
    assert_eq!(wrong.expect_err("by name").code, "SYN-0413");
}

#[test]
fn groups_of_customers_are_kept_apart_until_rows_say_what_the_erp_calls_them() {
    let with =
        |rows: &str| parse(&two_shops().replacen("[flows.customers]\n", &format!("[flows.customers]\n{rows}\n"), 1));
    let policies = |config: &Config| {
        let group = syncline_core::record::Customer::group_path();
        config.customers.iter().map(|rules| rules.pairs[0].policy(&group)).collect::<Vec<_>>()
    };
    let plain = with("").expect("good");
    assert!(plain.groups.is_empty() && policies(&plain).iter().all(|policy| *policy == FieldPolicy::Keep));
    let rows = with("groups = { General = \"\", Wholesale = \"Trade list\" }\n").expect("good");
    assert_eq!(rows.groups.len(), 2);
    assert_eq!(rows.in_force().groups[&SystemName::new("shop")]["Wholesale"], "Trade list");
    assert_eq!(policies(&rows)[0], FieldPolicy::Owner(SystemName::new("shop")));
    let erps = with("fields = { group = \"erp\" }\ngroups = { General = \"\" }").expect("good");
    assert_eq!(policies(&erps)[1], FieldPolicy::Owner(SystemName::new("erp")));
    let wrong = with("fields = { group = \"erp\" }").expect_err("without rows");
    assert!(wrong.code == "SYN-0469" && wrong.remedy.contains("groups = {"), "{wrong}");
    assert!(with("fields = { group = \"keep\" }").is_ok());
}

#[test]
fn images_are_kept_apart_unless_the_file_says_whose_they_are() {
    let with = |row: &str| {
        let rows = PRODUCTS.replace("fields = {", &format!("fields = {{ {row}"));
        assert!(rows.contains(row), "{rows}");
        parse(&format!("{GOOD}{rows}")).map(|config| config.carries_images())
    };
    assert!(!with("").expect("good"));
    assert!(with("images = \"erp\", ").expect("good"));
    assert!(with("\"images[*].position\" = \"erp\", ").expect("good"));
    assert!(!with("images = \"keep\", ").expect("good"));
    let wrong = with("pictures = \"erp\", ").expect_err("no such field");
    assert!(wrong.code == "SYN-0418" && wrong.remedy.contains("images[*]"), "{wrong}");
}

#[test]
fn parts_of_bundles_are_kept_apart_unless_the_file_says_whose_they_are() {
    let with = |row: &str| {
        let rows = PRODUCTS.replace("fields = {", &format!("fields = {{ {row}"));
        let rules = parse(&format!("{GOOD}{rows}")).expect("good").in_force().products.expect("products");
        rules.pairs[0].policy(&syncline_core::record::Composition::part_path("MUG"))
    };
    assert_eq!(with(""), FieldPolicy::Keep);
    assert_eq!(with("parts = \"erp\", "), FieldPolicy::Owner(SystemName::new("erp")));
}

#[test]
fn attributes_are_named_once_on_either_side() {
    let table = "attributes = { ean = \"identifier:ean\", color = \"attribute:colour\" }\n";
    let choices = "choices = { color = { Rot = \"Red\" } }\n";
    let with = |rows: &str| parse(&format!("{GOOD}{}", PRODUCTS.replace("fields =", &format!("{rows}fields ="))));
    let config = with(&format!("{table}{choices}")).expect("good");
    assert_eq!(config.attributes["ean"].field, "identifier:ean");
    assert_eq!(config.attributes["color"].choices["Rot"], "Red");
    let refused = |rows: &str| {
        let wrong = with(rows).expect_err(rows);
        format!("{} {wrong}", wrong.code)
    };
    let twice = refused("attributes = { ean = \"identifier:ean\", gtin = \"identifier:ean\" }\n");
    assert!(twice.contains("SYN-0418") && twice.contains("`ean` and as `gtin`"), "{twice}");
    assert!(refused("attributes = { \"a.b\" = \"identifier:ean\" }\n").contains("no code"));
    assert!(refused(&format!("{table}choices = {{ size = {{ S = \"small\" }} }}\n")).contains("`choices.size`"));
    let both = refused(&format!("{table}choices = {{ color = {{ Rot = \"Red\", Rouge = \"Red\" }} }}\n"));
    assert!(both.contains("`Red`"), "{both}");
}

#[test]
fn how_sales_of_another_connector_are_known_has_to_tell_orders_apart() {
    let with =
        |adopt: &str| parse(&GOOD.replacen("[flows.orders]\n", &format!("[flows.orders]\nadopt = {adopt}\n"), 1));
    let config = with("{ field = \"web_id\", value = \"{scope}-{id}\" }").expect("good");
    let key = config.orders[0].adopt.clone().expect("told");
    let order = syncline_core::record::Order::default();
    let id = syncline_core::id::RemoteId::new("1", "12");
    assert_eq!(key.says(&config.orders[0].source, &id, &order).as_deref(), Some("1-12"));
    for wrong in [
        "{ field = \"\", value = \"{id}\" }",
        "{ field = \"a\", value = \"{scope}\" }",
        "{ field = \"a\", value = \"{no}{id}\" }",
    ] {
        assert_eq!(with(wrong).expect_err(wrong).code, "SYN-0461");
    }
    assert_eq!(with("{ field = \"a\" }").expect_err("no value").code, "SYN-0414");
}

#[test]
fn families_are_switched_on_by_what_tells_their_variants_apart() {
    let table = "attributes = { size = \"attribute:size\" }\n";
    let with = |rows: &str, fields: &str| {
        let products = PRODUCTS.replace("fields =", &format!("{table}{rows}fields =")).replace("fields = {", fields);
        parse(&format!("{GOOD}{products}"))
    };
    let plain = "fields = {";
    let none = with("", plain).expect("good");
    assert!(none.options.is_none() && !none.beside.contains_key(&Kind::Product));
    let shop_names = "fields = { \"product.texts.*.name\" = \"shop\", ";
    let some = with("options = [\"size\"]\n", shop_names).expect("good");
    assert_eq!(some.options, Some(["size".to_string()].into()));
    let of = |kind: Kind| match kind {
        Kind::Variant => some.products.as_ref(),
        kind => some.beside.get(&kind),
    };
    let name = |kind: Kind| {
        let path = Field::try_from("texts.en.name".to_string()).expect("a path");
        of(kind).expect("rules").pairs[0].policy(&path)
    };
    assert_eq!(name(Kind::Product), FieldPolicy::Owner(SystemName::new("shop")));
    assert_eq!(name(Kind::Variant), FieldPolicy::Owner(SystemName::new("erp")));
    let code = |rows: &str, fields: &str| with(rows, fields).expect_err(rows).code;
    assert_eq!(code("options = [\"colour\"]\n", plain), "SYN-0453");
    assert_eq!(code("", shop_names), "SYN-0454");
}

#[test]
fn a_number_that_a_key_cannot_hold_names_the_key() {
    for number in ["-5", "9223372036854775807"] {
        let wrong = error("every = \"30s\"", &format!("every = \"30s\"\nrelease_days = {number}"));
        assert!(wrong.code == "SYN-0413" && wrong.what.contains("`release_days`"), "{wrong}");
    }
}

#[test]
fn what_becomes_of_changed_and_cancelled_orders_is_asked_about_unless_the_file_says_otherwise() {
    let rules = |rows: &str| {
        let text = GOOD.replacen("every = \"30s\"", &format!("every = \"30s\"\n{rows}"), 1);
        parse(&text).map(|config| (config.orders[0].amendments, config.orders[0].cancels))
    };
    assert_eq!(rules("").expect("good"), (Amendments::Ask, Cancels::Ask));
    let both = "amendments = \"carry\"\ncancels = \"erp\"";
    assert_eq!(rules(both).expect("good"), (Amendments::Carry, Cancels::Erp));
    let wrong = rules("amendments = \"carri\"").expect_err("no such word");
    assert!(wrong.remedy.contains("carry"), "{wrong}");
}

#[test]
fn a_release_rule_is_a_word_or_a_table_with_a_deadline() {
    let rows = |release: &str| {
        let text = GOOD.replacen("release = { checkmo = \"placed\", \"*\" = \"authorized\" }", release, 1);
        assert!(text.contains(release));
        parse(&text).map(|config| config.orders[0].release.clone())
    };
    let both =
        rows("release = { checkmo = \"placed\", \"bank*\" = { when = \"paid\", within = \"7d\" } }").expect("good");
    let bank = Release { when: ReleaseRule::Paid, within_s: Some(604_800) };
    let checkmo = Release { when: ReleaseRule::Placed, within_s: None };
    assert_eq!(both, [("bank*".to_string(), bank), ("checkmo".to_string(), checkmo)]);
    for (wrong, code, told) in [
        ("release = { checkmo = { when = \"pait\" } }", "SYN-0413", "did you mean `paid`"),
        ("release = { checkmo = { when = \"paid\", within = \"soon\" } }", "SYN-0413", "`7d`"),
        ("release = { checkmo = { when = \"paid\", wihtin = \"7d\" } }", "SYN-0412", "within"),
        ("release = { checkmo = 7 }", "SYN-0413", ""),
    ] {
        let error = rows(wrong).expect_err(wrong);
        assert!(error.code == code && error.remedy.contains(told), "{error}");
    }
}

#[test]
fn hints_need_an_address_and_a_secret() {
    let both = GOOD.replacen("store =", "listen = \"127.0.0.1:8087\"\nstore =", 1);
    let signed = |text: &str| text.replacen("token =", "hook_secret = \"env:HOOK\"\ntoken =", 1);
    let config = parse(&signed(&both)).expect("good");
    assert_eq!(config.listen.map(|at| at.port()), Some(8087));
    let shop = &config.systems[&SystemName::new("shop")];
    assert_eq!(shop.hook_secret, Some(Secret::Env("HOOK".to_string())));
    let codes = [parse(&both), parse(&signed(GOOD)), parse(&signed(&both).replacen("127.0.0.1:8087", "here", 1))];
    assert_eq!(codes.map(|told| told.expect_err("bad").code), ["SYN-0476", "SYN-0476", "SYN-0413"]);
    let plain = signed(&both).replacen("env:HOOK", "open sesame", 1);
    assert!(parse(&plain).expect_err("a secret in the file").what.contains("hook_secret"));
}
