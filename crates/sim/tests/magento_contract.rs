//! The simulated shop's orders and routes held against the vendor's own schema of the admin API.

#![expect(clippy::unwrap_used, reason = "a schema that cannot be read ends the test, in its helpers too")]

use jiff::Timestamp;
use serde_json::Value;
use std::path::PathBuf;
use syncline_sim::catalogue::catalogue;
use syncline_sim::orders::{customers, orders};

fn schema() -> Option<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("SYNCLINE_SHARED").map_or(beside, PathBuf::from);
    // A relative path is meant from the project's root.
    let shared = if shared.is_relative() {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(shared)
    } else {
        shared
    };
    let text =
        std::fs::read_to_string(shared.join("contracts/commerce/magento/admin-2.4.9.subset.swagger2.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// Every place where `value` has a field, or a sort of value, that the definition `name` does not allow.
fn strangers(schema: &Value, name: &str, value: &Value, place: &str, found: &mut Vec<String>) {
    let definition = &schema["definitions"][name]["properties"];
    for (key, field) in value.as_object().into_iter().flatten() {
        let here = format!("{place}.{key}");
        match definition.get(key) {
            None => found.push(format!("{here} is not in {name}")),
            Some(allowed) => fits(schema, allowed, field, &here, found),
        }
    }
}

fn fits(schema: &Value, allowed: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    if let Some(reference) = allowed["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return strangers(schema, name, value, place, found);
    }
    let fine = match allowed["type"].as_str() {
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean() || value.is_u64(),
        Some("array") => {
            for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                fits(schema, &allowed["items"], item, &format!("{place}[{at}]"), found);
            }
            value.is_array()
        }
        _ => true,
    };
    if !fine {
        found.push(format!("{place} is {value}, the schema says {}", allowed["type"]));
    }
}

#[test]
fn contract_orders_and_customers_have_the_vendors_fields_and_types() {
    let Some(schema) = schema() else {
        println!("contract: skipped 1");
        return;
    };
    let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    let mut found = Vec::new();
    for order in orders(3, 90, &catalogue(3, 60), now) {
        strangers(&schema, "sales-data-order-interface", &order, "order", &mut found);
    }
    for customer in customers(3, 30, now) {
        strangers(&schema, "customer-data-customer-interface", &customer, "customer", &mut found);
    }
    found.sort();
    found.dedup();
    println!("contract: ran 1");
    // The recordings themselves have these, and are right for their version: the schema generator leaves out
    // what other modules add, and calls some numbers integers.
    let recorded = ["converting_from_quote", "region_id", "default_billing", "default_shipping"];
    found.retain(|line| !recorded.iter().any(|known| line.contains(known)));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn contract_every_route_the_connector_uses_is_the_vendors() {
    let Some(schema) = schema() else {
        println!("contract: skipped 1");
        return;
    };
    let routes = [
        ("/V1/orders", "get"),
        ("/V1/orders", "post"),
        ("/V1/orders/{id}", "get"),
        ("/V1/order/{orderId}/ship", "post"),
        ("/V1/order/{orderId}/invoice", "post"),
        ("/V1/invoices", "get"),
        ("/V1/invoices/{id}", "get"),
        ("/V1/shipments", "get"),
        ("/V1/shipment/{id}", "get"),
        ("/V1/shipment/track", "post"),
        ("/V1/shipment/track/{id}", "delete"),
        ("/V1/customers/search", "get"),
        ("/V1/customers/{customerId}", "get"),
        ("/V1/products", "get"),
        ("/V1/products/{sku}", "get"),
        ("/V1/products/{sku}", "put"),
        ("/V1/products/{sku}/media", "post"),
        ("/V1/products/{sku}/media/{entryId}", "get"),
        ("/V1/products/{sku}/media/{entryId}", "put"),
        ("/V1/products/{sku}/media/{entryId}", "delete"),
        ("/V1/configurable-products/{sku}/child", "post"),
        ("/V1/configurable-products/{sku}/children/{childSku}", "delete"),
        ("/V1/configurable-products/{sku}/options", "post"),
        ("/V1/store/storeViews", "get"),
        ("/V1/store/websites", "get"),
        ("/V1/store/storeConfigs", "get"),
        ("/V1/taxRates/search", "get"),
        ("/V1/customerGroups/search", "get"),
        ("/V1/products/base-prices", "post"),
        ("/V1/products/base-prices-information", "post"),
        ("/V1/products/special-price", "post"),
        ("/V1/products/special-price-information", "post"),
        ("/V1/products/special-price-delete", "post"),
        ("/V1/products/tier-prices", "post"),
        ("/V1/products/tier-prices-information", "post"),
        ("/V1/products/tier-prices-delete", "post"),
        ("/V1/store/storeGroups", "get"),
        ("/V1/categories", "get"),
        ("/V1/categories/{categoryId}", "get"),
        ("/V1/inventory/sources", "get"),
        ("/V1/inventory/stocks", "get"),
        ("/V1/inventory/stock-source-links", "get"),
        ("/V1/inventory/source-items", "get"),
        ("/V1/inventory/source-items", "post"),
        ("/V1/inventory/get-product-salable-quantity/{sku}/{stockId}", "get"),
    ];
    for (path, method) in routes {
        assert!(schema["paths"][path][method].is_object(), "{method} {path} is not in the vendor's schema");
    }
    println!("contract: ran 1");
}
