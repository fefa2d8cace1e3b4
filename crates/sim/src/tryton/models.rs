//! The tables: every model the ERP knows, field by field, with the names its error texts use.

use super::schema::{Calc, Digits, Field, Figure, Kind, Model};
use super::vat;

mod papers;
mod sorts;

use papers::{amendments, configuration, counts, dropped, invoices, parcels, payments, shipments};
use sorts::{attributed, component, components, image, images, product_parts};

fn field(name: &'static str, title: &'static str, kind: Kind) -> Field {
    Field { name, title, kind, required: false, indexed: false, translated: false }
}

fn char(name: &'static str, title: &'static str) -> Field {
    field(name, title, Kind::Char { strip: true })
}

fn text(name: &'static str, title: &'static str) -> Field {
    field(name, title, Kind::Text)
}

fn one(name: &'static str, title: &'static str, model: &'static str) -> Field {
    field(name, title, Kind::One(model))
}

fn many(name: &'static str, title: &'static str, model: &'static str, back: &'static str) -> Field {
    field(name, title, Kind::Many { model, back })
}

fn flag(name: &'static str, title: &'static str) -> Field {
    field(name, title, Kind::Bool)
}

fn numeric(name: &'static str, title: &'static str, digits: Digits) -> Field {
    field(name, title, Kind::Numeric(digits))
}

fn calc(name: &'static str, title: &'static str, calc: Calc, target: &'static str) -> Field {
    field(name, title, Kind::Calc(calc, target))
}

fn int(name: &'static str, title: &'static str) -> Field {
    field(name, title, Kind::Int)
}

fn active() -> Field {
    flag("active", "Active")
}

const BY_NAME: &[(&str, bool)] = &[("name", false)];

/// Modules, users, company, money, places.
pub(super) fn base() -> Vec<Model> {
    vec![
        Model::new("ir.date", "Date", &[("id", false)], Vec::new()),
        Model::new("ir.module", "Module", BY_NAME, vec![char("name", "Name"), char("state", "State")]),
        Model::new(
            "ir.lang",
            "Language",
            BY_NAME,
            vec![char("name", "Name"), char("code", "Code"), flag("translatable", "Translatable"), active()],
        ),
        translations(),
        Model::new(
            "res.user",
            "User",
            BY_NAME,
            vec![char("name", "Name"), char("login", "Login"), char("company_filter", "Company Filter"), active()],
        ),
        warnings(),
        Model::new(
            "company.company",
            "Company",
            &[("id", false)],
            vec![
                one("party", "Party", "party.party").required(),
                one("currency", "Currency", "currency.currency").required(),
                char("timezone", "Timezone"),
            ],
        ),
        Model::new(
            "currency.currency",
            "Currency",
            BY_NAME,
            vec![
                char("name", "Name").required(),
                char("code", "Code").required(),
                char("symbol", "Symbol"),
                int("digits", "Digits").required(),
                numeric("rounding", "Rounding Factor", Digits::Any).required(),
                active(),
            ],
        ),
        Model::new(
            "country.country",
            "Country",
            BY_NAME,
            vec![char("name", "Name").required(), char("code", "Code"), char("code3", "3-letters Code"), active()],
        ),
        Model::new(
            "country.subdivision",
            "Subdivision",
            &[("code", false)],
            vec![
                one("country", "Country", "country.country").required(),
                char("name", "Name").required(),
                char("code", "Code"),
                char("type", "Type"),
                active(),
            ],
        ),
    ]
}

/// Who does not mind which warning.
fn warnings() -> Model {
    Model::new(
        "res.user.warning",
        "User Warning",
        &[("id", false)],
        vec![one("user", "User", "res.user").required(), char("name", "Name").required(), flag("always", "Always")],
    )
}

/// Texts by language.
fn translations() -> Model {
    Model::new(
        "ir.translation",
        "Translation",
        &[("id", false)],
        vec![
            char("name", "Name").required(),
            int("res_id", "Resource ID").required().indexed(),
            char("lang", "Language"),
            char("type", "Type").required(),
            text("src", "Source"),
            text("value", "Translation Value"),
            char("module", "Module"),
            flag("fuzzy", "Fuzzy"),
        ],
    )
}

/// Taxes, terms, locations and units.
fn terms() -> Vec<Model> {
    vec![
        Model::new(
            "account.configuration",
            "Account Configuration",
            &[("id", false)],
            vec![field("tax_rounding", "Tax Rounding", Kind::Select(&["document", "line"]))],
        ),
        Model::new(
            "account.tax",
            "Tax",
            &[("id", false)],
            vec![
                char("name", "Name").required(),
                char("description", "Description"),
                numeric("rate", "Rate", Digits::Any),
                numeric("amount", "Amount", Digits::Any),
                field("type", "Type", Kind::Select(&["percentage", "fixed", "none"])),
                one("parent", "Parent", "account.tax"),
                int("group", "Group"),
                int("sequence", "Sequence"),
                flag("update_unit_price", "Update Unit Price"),
                one("company", "Company", "company.company"),
                active(),
            ],
        ),
        Model::new(
            "account.invoice.payment_term",
            "Payment Term",
            BY_NAME,
            vec![char("name", "Name").required(), active()],
        ),
        Model::new("product.uom.category", "Product UoM Category", BY_NAME, vec![char("name", "Name")]),
        Model::new(
            "product.uom",
            "Product UoM",
            BY_NAME,
            vec![
                char("name", "Name").required(),
                char("symbol", "Symbol"),
                int("digits", "Display Digits"),
                field("factor", "Factor", Kind::Float(Digits::Any)),
                one("category", "Category", "product.uom.category"),
                active(),
            ],
        ),
    ]
}

/// The records an order moves: products, parties, sales.
pub(super) fn trade(web_shop: bool) -> Vec<Model> {
    let mut models = terms();
    models.extend(products(web_shop));
    models.extend(product_parts(web_shop));
    models.extend([image(), component()]);
    models.extend(price_lists());
    models.extend(parties());
    models.extend(party_parts());
    models.extend(stock());
    models.extend([shipments(), dropped()]);
    models.extend(parcels());
    models.extend(amendments());
    models.extend(counts());
    models.extend(invoices());
    models.extend(payments());
    models.push(configuration());
    if web_shop {
        models.push(Model::new(
            "web.shop",
            "Web Shop",
            BY_NAME,
            vec![
                char("name", "Name").required(),
                one("company", "Company", "company.company").required(),
                one("currency", "Currency", "currency.currency").required(),
                one("language", "Language", "ir.lang"),
                field("type", "Type", Kind::Select(&[])),
                one("guest_party", "Guest Party", "party.party"),
                field("warehouses", "Warehouses", Kind::ManyMany("stock.location")),
                active(),
            ],
        ));
    }
    models.push(sale(web_shop));
    models.push(sale_line());
    models
}

/// The weight of a template, and as its products show it.
fn weights() -> (Vec<Field>, Vec<Field>) {
    let own = vec![
        field("weight", "Weight", Kind::Float(Digits::Unit("weight_uom"))),
        one("weight_uom", "Weight UoM", "product.uom"),
    ];
    let via = |of: &Field, target| calc(of.name, of.title, Calc::Via("template", of.name), target);
    let shown = own.iter().zip(["", "product.uom"]).map(|(field, target)| via(field, target)).collect();
    (own, shown)
}

/// What every template has.
fn family() -> Vec<Field> {
    vec![
        char("name", "Name").required().translated(),
        char("code", "Code"),
        field("type", "Type", Kind::Select(&["goods", "assets", "service", "kit"])).required(),
        one("default_uom", "Default UoM", "product.uom").required(),
        one("sale_uom", "Sale UoM", "product.uom"),
        flag("salable", "Salable"),
        numeric("list_price", "List Price", Digits::Fixed(4)),
        one("account_category", "Account Category", "product.category"),
        field("categories", "Categories", Kind::ManyMany("product.category")),
        char("cost_price_method", "Cost Price Method"),
        many("products", "Variants", "product.product", "template"),
        images("template"),
        components("parent_template"),
        active(),
    ]
}

fn products(measured: bool) -> Vec<Model> {
    let via = |name: &'static str, title: &'static str, target: &'static str| {
        calc(name, title, Calc::Via("template", name), target)
    };
    let (weight, shown) = if measured { weights() } else { (Vec::new(), Vec::new()) };
    let (set, values) = if measured { attributed() } else { (Vec::new(), Vec::new()) };
    vec![
        Model::new("product.template", "Product Template", BY_NAME, [family(), weight, set].concat()),
        Model::new(
            "product.product",
            "Product",
            &[("code", false), ("id", false)],
            [
                vec![
                    one("template", "Product Template", "product.template").required().indexed(),
                    char("code", "Code").indexed(),
                    char("suffix_code", "Suffix Code"),
                    text("description", "Description").translated(),
                    active(),
                    via("name", "Name", ""),
                    via("type", "Type", ""),
                    via("default_uom", "Default UoM", "product.uom"),
                    via("sale_uom", "Sale UoM", "product.uom"),
                    via("salable", "Salable", ""),
                    calc("list_price", "List Price", Calc::Same("own_list_price"), ""),
                    calc("list_price_used", "List Price", Calc::ListPrice, ""),
                    calc("sale_price_uom", "Sale Price", Calc::SalePrice, ""),
                    numeric("own_list_price", "List Price", Digits::Fixed(4)),
                    calc("quantity", "Quantity", Calc::Figure(Figure::Quantity), ""),
                    calc("forecast_quantity", "Forecast Quantity", Calc::Figure(Figure::Forecast), ""),
                    many("identifiers", "Identifiers", "product.identifier", "product"),
                    images("product"),
                    components("parent_product"),
                ],
                shown,
                values,
            ]
            .concat(),
        ),
    ]
}

/// Price lists, and the model list prices really stand in, which nobody may read.
fn price_lists() -> Vec<Model> {
    vec![
        Model::new("product.list_price", "Product List Price", &[("id", false)], Vec::new()),
        Model::new(
            "product.price_list",
            "Product Price List",
            &[("id", false)],
            vec![
                char("name", "Name").required(),
                one("company", "Company", "company.company").required(),
                flag("tax_included", "Tax Included"),
                field("unit", "Unit", Kind::Select(&["product_default", "product_sale"])).required(),
                field("price", "Price", Kind::Select(&["list_price", "cost_price"])),
                many("lines", "Lines", "product.price_list.line", "price_list"),
                active(),
            ],
        ),
        Model::new(
            "product.price_list.line",
            "Product Price List Line",
            &[("sequence", false), ("id", false)],
            vec![
                one("price_list", "Price List", "product.price_list").required().indexed(),
                int("sequence", "Sequence"),
                int("category", "Category"),
                one("product", "Product", "product.product"),
                field("quantity", "Quantity", Kind::Float(Digits::Any)),
                char("formula", "Formula").required(),
            ],
        ),
    ]
}

fn parties() -> Vec<Model> {
    vec![
        Model::new(
            "party.party",
            "Party",
            BY_NAME,
            vec![
                field("name", "Name", Kind::Char { strip: false }),
                char("code", "Code").required().indexed(),
                one("lang", "Language", "ir.lang"),
                active(),
                one("replaced_by", "Replaced By", "party.party"),
                // Of the one company: the simulator keeps no list for each.
                one("sale_price_list", "Sale Price List", "product.price_list"),
                many("addresses", "Addresses", "party.address", "party"),
                many("contact_mechanisms", "Contact Mechanisms", "party.contact_mechanism", "party"),
                many("identifiers", "Identifiers", "party.identifier", "party"),
                calc("tax_identifier", "Tax Identifier", Calc::TaxIdentifier, "party.identifier"),
                calc("full_name", "Full Name", Calc::Same("name"), ""),
                calc("email", "Email", Calc::Mechanism("email"), ""),
                calc("phone", "Phone", Calc::Mechanism("phone"), ""),
            ],
        ),
        Model::new(
            "party.address",
            "Party Address",
            &[("party", false), ("sequence", false), ("id", false)],
            vec![
                one("party", "Party", "party.party").required().indexed(),
                char("party_name", "Party Name"),
                char("attn", "Attn"),
                calc("street", "Street", Calc::Same("street_unstructured"), ""),
                text("street_unstructured", "Street"),
                char("building_name", "Building Name"),
                char("postal_code", "Postal Code"),
                char("city", "City"),
                one("country", "Country", "country.country"),
                one("subdivision", "Subdivision", "country.subdivision"),
                flag("invoice", "Invoice"),
                flag("delivery", "Delivery"),
                int("sequence", "Sequence"),
                active(),
            ],
        ),
    ]
}

/// What hangs below a party beside its addresses.
fn party_parts() -> Vec<Model> {
    vec![
        Model::new(
            "party.contact_mechanism",
            "Contact Mechanism",
            &[("party", false), ("sequence", false), ("id", false)],
            vec![
                one("party", "Party", "party.party").required().indexed(),
                field(
                    "type",
                    "Type",
                    Kind::Select(&[
                        "phone", "mobile", "fax", "email", "website", "skype", "sip", "irc", "jabber", "other",
                    ]),
                )
                .required(),
                char("value", "Value").indexed(),
                char("name", "Name"),
                text("comment", "Comment"),
                one("address", "Address", "party.address"),
                int("sequence", "Sequence"),
                active(),
            ],
        ),
        Model::new(
            "party.identifier",
            "Party Identifier",
            &[("party", false), ("sequence", false), ("id", false)],
            vec![
                one("party", "Party", "party.party").required().indexed(),
                one("address", "Address", "party.address"),
                field("type", "Type", Kind::Select(vat::TYPES)),
                char("code", "Code").required(),
                int("sequence", "Sequence"),
                active(),
            ],
        ),
    ]
}

/// Places and what moves between them.
fn stock() -> Vec<Model> {
    let place = |name: &'static str, title: &'static str| one(name, title, "stock.location");
    vec![
        Model::new(
            "stock.location",
            "Stock Location",
            BY_NAME,
            vec![
                char("name", "Name").required(),
                char("code", "Code"),
                char("type", "Location type"),
                place("parent", "Parent").indexed(),
                place("input_location", "Input"),
                place("output_location", "Output"),
                place("storage_location", "Storage"),
                place("lost_found_location", "Lost and Found"),
                calc("warehouse", "Warehouse", Calc::Warehouse, "stock.location"),
                active(),
            ],
        ),
        Model::new(
            "stock.move",
            "Stock Move",
            &[("id", true)],
            vec![
                one("product", "Product", "product.product").required().indexed(),
                field("quantity", "Quantity", Kind::Float(Digits::Unit("unit"))).required(),
                field("internal_quantity", "Internal Quantity", Kind::Float(Digits::Any)),
                one("unit", "Unit", "product.uom").required(),
                place("from_location", "From Location").required(),
                place("to_location", "To Location").required(),
                field("state", "State", Kind::Select(&["staging", "draft", "assigned", "done", "cancelled"]))
                    .required(),
                field("planned_date", "Planned Date", Kind::Date),
                field("effective_date", "Effective Date", Kind::Date),
                char("origin", "Origin").indexed(),
                char("shipment", "Shipment").indexed(),
                one("package", "Package", "stock.package").indexed(),
                one("company", "Company", "company.company").required(),
                one("currency", "Currency", "currency.currency"),
                numeric("unit_price", "Unit Price", Digits::Fixed(4)),
            ],
        ),
    ]
}

fn sale(web_shop: bool) -> Model {
    let mut fields = vec![
        one("company", "Company", "company.company").required(),
        char("number", "Number"),
        char("reference", "Reference").indexed(),
        char("description", "Description").indexed(),
        char("origin", "Origin").indexed(),
        field("quotation_date", "Quotation Date", Kind::Date),
        field("sale_date", "Sale Date", Kind::Date),
        one("payment_term", "Payment Term", "account.invoice.payment_term"),
        one("party", "Party", "party.party").required().indexed(),
        one("contact", "Contact", "party.contact_mechanism"),
        one("invoice_party", "Invoice Party", "party.party"),
        one("invoice_address", "Invoice Address", "party.address"),
        one("shipment_party", "Shipment Party", "party.party"),
        one("shipment_address", "Shipment Address", "party.address"),
        one("warehouse", "Warehouse", "stock.location"),
        one("currency", "Currency", "currency.currency").required(),
        many("lines", "Lines", "sale.line", "sale"),
        many("amendments", "Amendments", "sale.amendment", "sale"),
        calc("line_lines", "Line - Lines", Calc::LineLines, "sale.line"),
        text("comment", "Comment"),
        calc("untaxed_amount", "Untaxed", Calc::Untaxed, ""),
        numeric("untaxed_amount_cache", "Untaxed Cache", Digits::Currency),
        calc("tax_amount", "Tax", Calc::Tax, ""),
        numeric("tax_amount_cache", "Tax Cache", Digits::Currency),
        calc("total_amount", "Total", Calc::Total, ""),
        numeric("total_amount_cache", "Total Cache", Digits::Currency),
        field("invoice_method", "Invoice Method", Kind::Select(&["manual", "order", "fulfillment"])).required(),
        field(
            "invoice_state",
            "Invoice State",
            Kind::Select(&["none", "pending", "awaiting payment", "partially paid", "paid", "exception"]),
        ),
        field("shipment_method", "Shipment Method", Kind::Select(&["manual", "order", "invoice"])).required(),
        field(
            "shipment_state",
            "Shipment State",
            Kind::Select(&["none", "waiting", "partially shipped", "sent", "exception"]),
        ),
        field("shipping_date", "Shipping Date", Kind::Date),
        field("invoices_ignored", "Ignored Invoices", Kind::ManyMany("account.invoice")),
        field("invoices_recreated", "Recreated Invoices", Kind::ManyMany("account.invoice")),
        calc("invoices", "Invoices", Calc::Papers("account.invoice"), "account.invoice"),
        calc("shipments", "Shipments", Calc::Papers("stock.shipment.out"), "stock.shipment.out"),
        field("state", "State", Kind::Select(&["draft", "quotation", "confirmed", "processing", "done", "cancelled"]))
            .required(),
    ];
    if web_shop {
        fields.push(one("web_shop", "Web Shop", "web.shop"));
        fields.push(field("web_id", "Web ID", Kind::Char { strip: false }).indexed());
    }
    Model::new("sale.sale", "Sale", &[("sale_date", true), ("id", true)], fields)
}

fn sale_line() -> Model {
    Model::new(
        "sale.line",
        "Sale Line",
        &[("sale.sale_date", true), ("sale", true), ("sequence", false), ("id", false)],
        vec![
            one("sale", "Sale", "sale.sale").required().indexed(),
            field("type", "Type", Kind::Select(&["line", "subtotal", "title", "comment"])).required(),
            int("sequence", "Sequence"),
            field("quantity", "Quantity", Kind::Float(Digits::Unit("unit"))),
            one("unit", "Unit", "product.uom"),
            one("product", "Product", "product.product"),
            numeric("unit_price", "Unit Price", Digits::Fixed(4)),
            calc("amount", "Amount", Calc::LineAmount, ""),
            text("description", "Description"),
            calc("summary", "Summary", Calc::Summary, ""),
            text("note", "Note"),
            field("taxes", "Taxes", Kind::ManyMany("account.tax")),
            calc("moves", "Stock Moves", Calc::Papers("stock.move"), "stock.move"),
            field("moves_ignored", "Ignored Moves", Kind::ManyMany("stock.move")),
            field("moves_recreated", "Recreated Moves", Kind::ManyMany("stock.move")),
            calc("currency", "Currency", Calc::Via("sale", "currency"), "currency.currency"),
            calc("sale_state", "Sale State", Calc::Via("sale", "state"), ""),
        ],
    )
}
