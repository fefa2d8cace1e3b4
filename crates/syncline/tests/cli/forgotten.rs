//! A person is erased by command: shown first, refused while anything is under way, and gone from the file.

use super::bench::Bench;
use serde_json::json;

#[test]
fn who_is_erased_is_shown_first_and_gone_from_the_file_afterwards() {
    let bench = Bench::started("forgotten", 12);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    bench.run(&["adopt"], 0);
    assert!(bench.comes_to(&["sync"], 0));
    let orders = bench.shop_orders();
    let mail = orders.iter().find_map(|order| order["customer_email"].as_str()).expect("a buyer").to_lowercase();
    let named =
        orders.iter().filter(|order| order["customer_email"].as_str().is_some_and(|one| one.to_lowercase() == mail));
    let told = bench.json(&["erase", &mail], 2);
    assert_eq!((&told["erased"], &told["open"]), (&json!(false), &json!([])), "{told}");
    assert_eq!((told["people"].as_u64(), told["orders"].as_u64()), (Some(1), Some(named.count() as u64)), "{told}");
    let stands = || {
        let bytes = std::fs::read(bench.path("syncline.db")).expect("the store").to_ascii_lowercase();
        bytes.windows(mail.len()).any(|some| some == mail.as_bytes())
    };
    assert!(stands(), "what is only shown changes nothing");
    assert_eq!(bench.json(&["erase", &mail, "--yes"], 0)["erased"], json!(true));
    assert!(!stands(), "the file holds nothing of them");
    assert_eq!(bench.json(&["erase", &mail, "--yes"], 1)["error"]["code"], "SYN-0430", "nobody is called so any more");
    bench.run(&["sweep", "--deep"], 0);
    assert!(bench.comes_to(&["sync"], 0) && !stands(), "nor is it told again");
    assert!(bench.comes_to(&["verify"], 0), "{}", bench.run(&["verify"], 2));
}

#[test]
fn who_is_no_customer_is_not_erased() {
    let bench = Bench::started("unforgotten", 3);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    bench.run(&["adopt"], 0);
    assert!(bench.comes_to(&["sync"], 0));
    let number = bench.shop_orders()[0]["increment_id"].as_str().expect("a number").to_string();
    assert_eq!(bench.json(&["erase", &format!("order:{number}")], 64)["error"]["code"], "SYN-0001");
    assert_eq!(bench.json(&["erase", "nobody@example.org"], 1)["error"]["code"], "SYN-0430");
    assert_eq!(bench.json(&["erase"], 64)["error"]["code"], "SYN-0001");
    bench.run(&["--help"], 0);
}
