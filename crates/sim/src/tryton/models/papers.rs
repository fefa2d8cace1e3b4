//! The papers an order ends in: shipments with their parcels, and invoices; and counts of what lies in stock.

use super::super::schema::{Calc, Digits, Kind, Leg, Model};
use super::{BY_NAME, active, calc, char, field, many, numeric, one, text};

/// Shipments to customers; parcels, carriers and numbers come with module `stock_package_shipping`.
pub(super) fn shipments() -> Model {
    let moves = |name: &'static str, title: &'static str, leg: Leg| calc(name, title, Calc::Moves(leg), "stock.move");
    Model::new(
        "stock.shipment.out",
        "Stock Shipment Out",
        &[("id", true)],
        vec![
            char("number", "Number"),
            field(
                "state",
                "State",
                Kind::Select(&["draft", "waiting", "assigned", "picked", "packed", "shipped", "done", "cancelled"]),
            )
            .required(),
            one("company", "Company", "company.company").required(),
            one("customer", "Customer", "party.party"),
            one("delivery_address", "Delivery Address", "party.address"),
            one("warehouse", "Warehouse", "stock.location").required(),
            field("planned_date", "Planned Date", Kind::Date),
            field("effective_date", "Effective Date", Kind::Date),
            one("carrier", "Carrier", "carrier"),
            char("shipping_reference", "Shipping Reference"),
            moves("moves", "Moves", Leg::Both),
            moves("inventory_moves", "Inventory Moves", Leg::Inventory),
            moves("outgoing_moves", "Outgoing Moves", Leg::Outgoing),
            calc("packages", "Packages", Calc::Packages, "stock.package"),
        ],
    )
}

/// What module `stock_package_shipping` brings: parcels, their sorts, and who carries them.
pub(super) fn parcels() -> Vec<Model> {
    vec![
        Model::new(
            "stock.package.type",
            "Stock Package Type",
            BY_NAME,
            vec![char("name", "Name").required(), active()],
        ),
        Model::new(
            "stock.package",
            "Stock Package",
            &[("id", false)],
            vec![
                char("number", "Number").required(),
                one("company", "Company", "company.company").required(),
                one("type", "Type", "stock.package.type").required(),
                char("shipment", "Shipment").indexed(),
                one("parent", "Parent", "stock.package").indexed(),
                char("shipping_reference", "Shipping Reference"),
                many("moves", "Moves", "stock.move", "package"),
            ],
        ),
        Model::new(
            "carrier",
            "Carrier",
            &[("id", false)],
            vec![
                one("party", "Party", "party.party").required(),
                one("carrier_product", "Carrier Product", "product.product").required(),
                active(),
            ],
        ),
    ]
}

/// Counts of what lies in stock.
pub(super) fn counts() -> Vec<Model> {
    vec![
        Model::new(
            "stock.inventory",
            "Stock Inventory",
            &[("id", true)],
            vec![
                one("company", "Company", "company.company").required(),
                one("location", "Location", "stock.location").required(),
                field("date", "Date", Kind::Date).required(),
                field("state", "State", Kind::Select(&["draft", "done", "cancelled"])).required(),
                many("lines", "Lines", "stock.inventory.line", "inventory"),
            ],
        ),
        Model::new(
            "stock.inventory.line",
            "Stock Inventory Line",
            &[("id", false)],
            vec![
                one("inventory", "Inventory", "stock.inventory").required().indexed(),
                one("product", "Product", "product.product").required(),
                field("quantity", "Actual Quantity", Kind::Float(Digits::Any)),
            ],
        ),
    ]
}

/// Invoices and their lines.
pub(super) fn invoices() -> Vec<Model> {
    vec![
        Model::new(
            "account.invoice",
            "Account Invoice",
            &[("number", true), ("id", true)],
            vec![
                one("company", "Company", "company.company").required(),
                field("type", "Type", Kind::Select(&["out", "in"])).required(),
                char("number", "Number"),
                char("reference", "Reference"),
                char("description", "Description"),
                field("state", "State", Kind::Select(&["draft", "validated", "posted", "paid", "cancelled"]))
                    .required(),
                field("invoice_date", "Invoice Date", Kind::Date),
                one("party", "Party", "party.party").required(),
                one("invoice_address", "Invoice Address", "party.address"),
                one("currency", "Currency", "currency.currency").required(),
                one("payment_term", "Payment Term", "account.invoice.payment_term"),
                one("move", "Move", "account.move"),
                // The move that undoes its own: that of a credit note, or one made for it.
                one("cancel_move", "Cancel Move", "account.move"),
                many("lines", "Lines", "account.invoice.line", "invoice"),
                calc("untaxed_amount", "Untaxed", Calc::Untaxed, ""),
                calc("tax_amount", "Tax", Calc::Tax, ""),
                calc("total_amount", "Total", Calc::Total, ""),
            ],
        ),
        Model::new("account.move", "Account Move", &[("id", true)], vec![char("origin", "Origin")]),
        Model::new(
            "account.invoice.line",
            "Account Invoice Line",
            &[("invoice", false), ("id", false)],
            vec![
                one("invoice", "Invoice", "account.invoice").required().indexed(),
                field("type", "Type", Kind::Select(&["line", "subtotal", "title", "comment"])).required(),
                char("origin", "Origin").indexed(),
                one("product", "Product", "product.product"),
                field("quantity", "Quantity", Kind::Float(Digits::Unit("unit"))),
                one("unit", "Unit", "product.uom"),
                numeric("unit_price", "Unit Price", Digits::Fixed(4)),
                calc("amount", "Amount", Calc::LineAmount, ""),
                text("description", "Description"),
                field("taxes", "Taxes", Kind::ManyMany("account.tax")),
            ],
        ),
    ]
}

/// How sales are invoiced and shipped where nothing is said.
pub(super) fn configuration() -> Model {
    Model::new(
        "sale.configuration",
        "Sale Configuration",
        &[("id", false)],
        vec![
            field("sale_invoice_method", "Sale Invoice Method", Kind::Select(&["manual", "order", "fulfillment"])),
            field("sale_shipment_method", "Sale Shipment Method", Kind::Select(&["manual", "order", "invoice"])),
        ],
    )
}
