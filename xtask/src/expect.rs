//! Says what is wrong with the JSON of the demo and the simulations: an empty list is agreement.
use serde_json::Value;

/// The planted bugs that must be found, each with the ring that has it; two of them both rings have.
const PLANTED: [(&str, &str); 33] = [
    ("engine", "skip-intent"),
    ("engine", "ignore-epoch"),
    ("engine", "retry-write"),
    ("engine", "float-money"),
    ("engine", "cursor-no-overlap"),
    ("engine", "mark-from-name"),
    ("engine", "base-currency"),
    ("engine", "merge-lines-by-sku"),
    ("engine", "look-once"),
    ("engine", "one-base"),
    ("engine", "untold-as-empty"),
    ("engine", "owner-ignored"),
    ("engine", "stale-basis"),
    ("engine", "skip-keys"),
    ("engine", "resurrect"),
    ("engine", "forget-undo"),
    ("engine", "rewrite-papers"),
    ("engine", "choice-twice"),
    ("engine", "shipment-unsent"),
    ("engine", "stale-levels"),
    ("engine", "refund-list-empty"),
    ("engine", "capture-twice"),
    ("engine", "base-currency-mixed"),
    ("engine", "payment-unlooked"),
    ("engine", "credit-echoes"),
    ("engine", "cancel-over-shipped"),
    ("engine", "address-over-picked"),
    ("market", "forget-orders"),
    ("market", "reserve-twice"),
    ("money", "loses-decimals"),
    ("core", "settle-too-short"),
    ("core", "one-base"),
    ("core", "untold-as-empty"),
];

/// What has to happen how often in two thousand schedules of ring 2, most of them small, beside faults.
const HAPPENS: [(&str, u64); 13] = [
    ("edits", 1000),
    ("picks", 1000),
    ("account_edits", 1000),
    ("repricings", 1000),
    ("trade", 1000),
    ("parcels", 300),
    ("bills", 150),
    ("captures", 60),
    ("sent_elsewhere", 300),
    ("cut_down", 100),
    ("hidden_orders", 50),
    ("deletions", 50),
    ("undos", 50),
];

fn count(told: &Value, path: &str) -> Option<u64> {
    told.pointer(path).and_then(Value::as_u64)
}

fn at_least(wrong: &mut Vec<String>, told: &Value, path: &str, least: u64) {
    match count(told, path) {
        Some(n) if n >= least => {}
        Some(n) => wrong.push(format!("{path} is {n}, must be at least {least}")),
        None => wrong.push(format!("{path} is not told")),
    }
}

fn zero(wrong: &mut Vec<String>, told: &Value, path: &str) {
    match count(told, path) {
        Some(0) => {}
        Some(n) => wrong.push(format!("{path} is {n}, must be 0")),
        None => wrong.push(format!("{path} is not told")),
    }
}

/// What is wrong with a demo's proof.
pub fn demo(told: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    at_least(&mut wrong, told, "/orders/source", 200);
    at_least(&mut wrong, told, "/compared/orders", 200);
    for flow in ["products", "inventory", "prices"] {
        at_least(&mut wrong, told, &format!("/compared/{flow}"), 150);
    }
    at_least(&mut wrong, told, "/compared/customers", 50);
    at_least(&mut wrong, told, "/prices/source", 400);
    at_least(&mut wrong, told, "/stock/compared", 150);
    at_least(&mut wrong, told, "/names/compared", 500);
    zero(&mut wrong, told, "/stock/different");
    zero(&mut wrong, told, "/names/different");
    at_least(&mut wrong, told, "/edits", 20);
    zero(&mut wrong, told, "/overwritten");
    at_least(&mut wrong, told, "/faults/kills", 5);
    at_least(&mut wrong, told, "/faults/lost_replies", 20);
    if count(told, "/orders/source") != count(told, "/orders/target") {
        wrong.push(format!("source and target differ: {}", told["orders"]));
    }
    let prices = ["/prices/missing", "/prices/different", "/prices/extra"];
    for path in ["/orders/missing", "/orders/duplicate", "/cents_off"].into_iter().chain(prices) {
        zero(&mut wrong, told, path);
    }
    for path in ["/open/waiting", "/open/held", "/open/failed", "/open/conflicts"] {
        zero(&mut wrong, told, path);
    }
    for (kind, least) in [("shipment", 30), ("invoice", 10), ("payment", 8), ("credit", 3), ("refund", 3)] {
        at_least(&mut wrong, told, &format!("/papers/{kind}/source"), least);
        zero(&mut wrong, told, &format!("/papers/{kind}/missing"));
        zero(&mut wrong, told, &format!("/papers/{kind}/duplicate"));
    }
    zero(&mut wrong, told, "/papers/different");
    for figure in ["shipped_qty", "captured_cents", "paid_cents", "refunded_cents"] {
        let (shop, erp) =
            (count(told, &format!("/papers/{figure}/shop")), count(told, &format!("/papers/{figure}/erp")));
        if shop != erp || shop.is_none_or(|n| n == 0) {
            wrong.push(format!("{figure} differ or are nothing: {}", told["papers"][figure]));
        }
    }
    match told["drift"].as_object() {
        Some(flows) if !flows.is_empty() => {
            let drifted = flows.iter().filter(|(_, n)| n.as_u64() != Some(0));
            wrong.extend(drifted.map(|(flow, n)| format!("drift of {flow} is {n}, must be 0")));
        }
        _ => wrong.push("drift names no flow".to_owned()),
    }
    wrong
}

/// What is wrong with a run of ring 1.
pub fn ring_core(told: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    no_violation(&mut wrong, told);
    at_least(&mut wrong, told, "/schedules", 200_000);
    wrong
}

/// What is wrong with a run of ring 2.
pub fn ring_engine(told: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    no_violation(&mut wrong, told);
    at_least(&mut wrong, told, "/schedules", 2000);
    // What happens in a part of the schedules has to have happened in enough of them.
    for (event, least) in HAPPENS {
        at_least(&mut wrong, told, &format!("/faults/{event}"), least);
    }
    let seeds = count(told, "/schedules").unwrap_or(0);
    match told["faults"].as_object() {
        Some(faults) => {
            if faults.len() < 8 {
                wrong.push(format!("only {} kinds of fault, must be at least 8", faults.len()));
            }
            let rare = faults.iter().filter(|(_, n)| n.as_u64().is_none_or(|n| n < seeds / 100));
            wrong.extend(rare.map(|(fault, n)| format!("fault {fault} came {n} times in {seeds} schedules: too rare")));
        }
        None => wrong.push("faults are not told".to_owned()),
    }
    wrong
}

/// What is wrong with a run of the market.
pub fn ring_market(told: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    no_violation(&mut wrong, told);
    at_least(&mut wrong, told, "/schedules", 1000);
    at_least(&mut wrong, told, "/faults/trade", 3000);
    wrong
}

/// What is wrong with a run of orders of any amounts.
pub fn money(told: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    no_violation(&mut wrong, told);
    at_least(&mut wrong, told, "/faults/orders", 10_000);
    at_least(&mut wrong, told, "/faults/rounded", 1000);
    wrong
}

/// What is wrong with the hunt for the planted bugs.
pub fn planted(told: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(list) = told["planted"].as_array() else { return vec!["planted is not told".to_owned()] };
    for (ring, bug) in PLANTED {
        match list.iter().find(|row| row["bug"] == bug && row["ring"] == ring) {
            Some(row) if row["found"] == true => {}
            Some(row) => wrong.push(format!("planted bug {bug} was not found in {} seeds of {ring}", row["seeds"])),
            None => wrong.push(format!("planted bug {bug} was not tried in {ring}")),
        }
    }
    let known = |row: &Value| PLANTED.iter().any(|(ring, bug)| row["bug"] == *bug && row["ring"] == *ring);
    let others = list.iter().filter(|row| row["found"] != true && !known(row));
    wrong.extend(others.map(|row| format!("planted bug {} was not found in {}", row["bug"], row["ring"])));
    wrong
}

fn no_violation(wrong: &mut Vec<String>, told: &Value) {
    match told["violations"].as_array() {
        Some(list) => wrong.extend(list.iter().take(5).map(|v| format!("violation {v}"))),
        None => wrong.push("violations are not told".to_owned()),
    }
}

/// One line on what was told, for the reader of a stage that passed.
pub fn summary(told: &Value) -> String {
    let text = |path: &str, name: &str| count(told, path).map(|n| format!("{n} {name}"));
    let found = told["planted"]
        .as_array()
        .filter(|list| !list.is_empty())
        .map(|list| format!("{} planted bugs found", list.len()));
    let parts = [
        text("/schedules", "schedules"),
        text("/per_minute", "a minute"),
        told["violations"].as_array().map(|list| format!("{} violations", list.len())),
        text("/orders/source", "orders at the source"),
        text("/orders/target", "at the target"),
        text("/faults/kills", "kills"),
        found,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn good() -> Value {
        json!({"orders":{"source":212,"target":212,"missing":0,"duplicate":0},"cents_off":0,"drift":{"orders":0,"customers":0},
            "compared":{"orders":212,"products":203,"inventory":203,"prices":203,"customers":90},"stock":{"compared":190,"different":0},
            "names":{"compared":600,"different":0},"prices":{"source":609,"target":609,"missing":0,"different":0,"extra":0},"edits":24,"overwritten":0,
            "papers":{"shipment":{"source":48,"missing":0,"duplicate":0},"invoice":{"source":20,"missing":0,"duplicate":0},
            "payment":{"source":9,"missing":0,"duplicate":0},"credit":{"source":6,"missing":0,"duplicate":0},"refund":{"source":5,"missing":0,"duplicate":0},"different":0,"shipped_qty":{"shop":9,"erp":9},
            "captured_cents":{"shop":99,"erp":99},"paid_cents":{"shop":7,"erp":7},"refunded_cents":{"shop":9,"erp":9}},"open":{"waiting":0,"held":0,"failed":0,"conflicts":0},"faults":{"kills":6,"lost_replies":31}})
    }

    #[test]
    fn a_demo_that_agrees_has_nothing_wrong() {
        assert_eq!(demo(&good()), Vec::<String>::new());
    }

    #[test]
    fn each_field_of_the_demo_can_fail_it() {
        for (path, bad) in [
            ("/orders/target", 211),
            ("/orders/duplicate", 1),
            ("/drift/orders", 1),
            ("/prices/missing", 1),
            ("/compared/prices", 149),
            ("/stock/different", 1),
            ("/names/compared", 499),
            ("/papers/shipment/duplicate", 1),
            ("/papers/captured_cents/shop", 98),
            ("/papers/refunded_cents/shop", 8),
            ("/papers/paid_cents/shop", 8),
            ("/papers/payment/missing", 1),
            ("/papers/credit/missing", 1),
            ("/papers/refund/duplicate", 1),
            ("/papers/refund/source", 2),
            ("/open/held", 1),
            ("/faults/kills", 4),
        ] {
            let mut told = good();
            *told.pointer_mut(path).unwrap() = json!(bad);
            assert_eq!(demo(&told).len(), 1, "{path}");
        }
        assert!(demo(&json!({})).len() > 8, "nothing told is nothing proven");
    }

    #[test]
    fn a_planted_bug_that_stays_hidden_is_named() {
        let rows: Vec<Value> = PLANTED
            .iter()
            .map(|of| json!({"ring": of.0, "bug": of.1, "found": *of != ("engine", "one-base"), "seeds": 9}))
            .collect();
        let wrong = planted(&json!({"planted": rows}));
        assert_eq!(wrong, ["planted bug one-base was not found in 9 seeds of engine"]);
    }
}
