//! What the file says of papers.

use super::{GOOD, OUTLET, parse};
use syncline_core::rules::Refunds;

#[test]
fn papers_go_to_the_shops_that_orders_are_from_and_leave_from_the_places_of_stock() {
    let papers = "[flows.papers]\nfrom = \"erp\"\nto = [\"shop\"]\ncarriers = { \"DHL*\" = \"dhl\" }\n";
    let stock = "[flows.inventory]\nfrom = \"erp\"\nto = [\"shop\"]\nsources = { default = [\"WH\"] }\n";
    let rules = parse(&format!("{GOOD}{stock}{papers}")).expect("good").in_force().papers.expect("papers");
    let [shop] = rules.targets.as_slice() else { panic!("{rules:?}") };
    assert_eq!(shop.places, [("default".to_string(), vec!["WH".to_string()])]);
    assert_eq!((shop.carrier("DHL Express"), shop.carrier("UPS")), (Some("dhl"), None));
    assert_eq!(shop.invoices, syncline_core::rules::MoneyRule::Off);
    let own = format!("{GOOD}{stock}{papers}invoices = \"paid\"\nsources = {{ east = [\"WH2\"] }}\n");
    let shop = parse(&own).expect("good").in_force().papers.expect("papers").targets.remove(0);
    assert_eq!((shop.places[0].0.as_str(), shop.invoices), ("east", syncline_core::rules::MoneyRule::Paid));
    assert!(!shop.tells_payments());
    let taken = format!("{GOOD}{papers}payments = {{ \"paypal*\" = \"PayPal\", checkmo = \"off\" }}\n");
    let shop = parse(&taken).expect("good").in_force().papers.expect("papers").targets.remove(0);
    let by = ["paypal_express", "checkmo", "klarna"].map(|method| shop.booked_by(method));
    assert_eq!((by, shop.tells_payments()), ([Some("PayPal"), Some("off"), None], true));
    assert_eq!(shop.refunds, Refunds::Ask);
    let refunds = "refunds = \"draft\"\n[flows.papers.at.shop]\nrefunds = \"carry\"\n";
    let shop = parse(&format!("{GOOD}{papers}{refunds}")).expect("good").papers.expect("papers").targets.remove(0);
    assert_eq!(shop.refunds, Refunds::Carry);
    assert!(parse(&format!("{GOOD}{papers}mode = \"off\"\n")).expect("good").in_force().papers.is_none());
    for (from, to, code, told) in [
        ("to = [\"shop\"]\ncarriers", "to = [\"erp\"]\ncarriers", "SYN-0418", "to itself"),
        (
            "from = \"erp\"\nto = [\"shop\"]\ncarriers",
            "from = \"shop\"\nto = [\"erp\"]\ncarriers",
            "SYN-0419",
            "papers flow from",
        ),
        ("carriers =", "invoices = \"payed\"\ncarriers =", "SYN-0413", "did you mean `paid`"),
        ("carriers =", "refunds = \"carri\"\ncarriers =", "SYN-0413", "did you mean `carry`"),
        ("carriers =", "create = true\ncarriers =", "SYN-0412", "[flows.products]"),
        (
            "[flows.papers]",
            "[flows.orders.at.shop]\ncarriers = { a = \"b\" }\n[flows.papers]",
            "SYN-0412",
            "[flows.papers]",
        ),
    ] {
        let text = format!("{GOOD}{papers}");
        assert!(text.contains(from), "{from}");
        let error = parse(&text.replacen(from, to, 1)).expect_err(to);
        assert!(error.code == code && format!("{} {}", error.what, error.remedy).contains(told), "{error:?}");
    }
    let alone = papers.replace("[\"shop\"]", "[\"outlet\"]");
    let error = parse(&format!("{GOOD}{OUTLET}{alone}")).expect_err("no orders");
    assert_eq!(error.code, "SYN-0474");
}
