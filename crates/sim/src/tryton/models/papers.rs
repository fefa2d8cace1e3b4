//! The papers an order ends in: shipments with their parcels, and invoices; and counts of what lies in stock.

use super::super::schema::{Calc, Digits, Kind, Leg, Model};
use super::{BY_NAME, active, calc, char, field, int, many, numeric, one, text};

/// Shipments to customers; parcels, carriers and numbers come with module `stock_package_shipping`.
pub(super) fn shipments() -> Model {
    let moves = |name: &'static str, title: &'static str, leg: Leg| calc(name, title, Calc::Moves(leg), "stock.move");
    Model::new(
        "stock.shipment.out",
        "Stock Shipment Out",
        &[("id", true)],
        vec![
            char("number", "Number"),
            char("reference", "Reference"),
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

/// What module `sale_supply_drop_shipment` brings: shipments from suppliers to customers.
pub(super) fn dropped() -> Model {
    Model::new(
        "stock.shipment.drop",
        "Drop Shipment",
        &[("id", true)],
        vec![
            char("number", "Number"),
            field("state", "State", Kind::Select(&["draft", "waiting", "shipped", "done", "cancelled"])).required(),
            one("company", "Company", "company.company").required(),
            field("effective_date", "Effective Date", Kind::Date),
            calc("moves", "Moves", Calc::Moves(Leg::Dropped), "stock.move"),
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

/// What module `sale_amendment` brings.
pub(super) fn amendments() -> Vec<Model> {
    let price = Kind::Numeric(Digits::Fixed(4));
    vec![
        Model::new(
            "sale.amendment",
            "Sale Amendment",
            &[("id", true)],
            vec![
                one("sale", "Sale", "sale.sale").required().indexed(),
                char("description", "Description"),
                field("state", "State", Kind::Select(&["draft", "validated"])).required(),
                many("lines", "Lines", "sale.amendment.line", "amendment"),
            ],
        ),
        Model::new(
            "sale.amendment.line",
            "Sale Amendment Line",
            &[("id", false)],
            vec![
                one("amendment", "Amendment", "sale.amendment").required().indexed(),
                field("action", "Action", Kind::Select(&["taxes", "payment_term", "party", "warehouse", "line"]))
                    .required(),
                one("line", "Line", "sale.line"),
                one("product", "Product", "product.product"),
                field("quantity", "Quantity", Kind::Float(Digits::Unit("unit"))),
                one("unit", "Unit", "product.uom"),
                field("unit_price", "Unit Price", price),
                text("description", "Description"),
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
                // Its domain is looked at before anything is found to be missing.
                one("invoice_address", "Invoice Address", "party.address").required(),
                one("party", "Party", "party.party").required(),
                one("currency", "Currency", "currency.currency").required(),
                one("journal", "Journal", "account.journal"),
                one("account", "Account", "account.account").required(),
                one("payment_term", "Payment Term", "account.invoice.payment_term"),
                one("move", "Move", "account.move"),
                // The move that undoes its own: that of a credit note, or one made for it.
                one("cancel_move", "Cancel Move", "account.move"),
                many("lines", "Lines", "account.invoice.line", "invoice"),
                calc("untaxed_amount", "Untaxed", Calc::Untaxed, ""),
                calc("tax_amount", "Tax", Calc::Tax, ""),
                calc("total_amount", "Total", Calc::Total, ""),
                calc("amount_to_pay", "Amount to Pay", Calc::Owed, ""),
            ],
        ),
        Model::new(
            "account.move",
            "Account Move",
            &[("id", true)],
            vec![
                char("origin", "Origin"),
                char("description", "Description"),
                field("date", "Effective Date", Kind::Date),
            ],
        ),
        Model::new(
            "account.invoice.line",
            "Account Invoice Line",
            &[("invoice", false), ("id", false)],
            vec![
                one("invoice", "Invoice", "account.invoice").required().indexed(),
                one("company", "Company", "company.company").required(),
                one("currency", "Currency", "currency.currency").required(),
                field("type", "Type", Kind::Select(&["line", "subtotal", "title", "comment"])).required(),
                char("origin", "Origin").indexed(),
                one("product", "Product", "product.product"),
                field("quantity", "Quantity", Kind::Float(Digits::Unit("unit"))),
                one("unit", "Unit", "product.uom"),
                one("account", "Account", "account.account"),
                numeric("unit_price", "Unit Price", Digits::Fixed(4)),
                calc("amount", "Amount", Calc::LineAmount, ""),
                text("description", "Description"),
                field("taxes", "Taxes", Kind::ManyMany("account.tax")),
            ],
        ),
    ]
}

/// What is left of payments in the books, and what they are booked by.
pub(super) fn payments() -> Vec<Model> {
    vec![
        Model::new("account.account", "Account", &[("id", false)], vec![char("name", "Name")]),
        Model::new("account.journal", "Account Journal", &[("id", false)], vec![char("name", "Name")]),
        Model::new(
            "account.move.line",
            "Account Move Line",
            &[("id", true)],
            vec![
                one("move", "Move", "account.move").required(),
                numeric("debit", "Debit", Digits::Any),
                numeric("credit", "Credit", Digits::Any),
                numeric("amount_second_currency", "Amount Second Currency", Digits::Any),
                one("second_currency", "Second Currency", "currency.currency"),
                one("invoice_payment", "Invoice Payment", "account.invoice").indexed(),
                int("reconciliation", "Reconciliation"),
            ],
        ),
        Model::new(
            "account.invoice.payment.method",
            "Account Invoice Payment Method",
            &[("id", false)],
            vec![char("name", "Name").required(), one("company", "Company", "company.company").required(), active()],
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
