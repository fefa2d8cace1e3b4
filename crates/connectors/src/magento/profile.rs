//! What a Magento shop can do at best, as far as it is used here.

use std::collections::BTreeMap;
use syncline_core::kind::{Kind, Step};
use syncline_core::profile::{Guard, GuardClaim, KindProfile, Profile};
use syncline_core::record::PARTS;

/// What an order's document tells.
const ORDER: &[&str] = &[
    "number",
    "reference",
    "life",
    "cart",
    "placed",
    "day",
    "currency",
    "customer",
    "billing",
    "shipping",
    "payment.method",
    "payment.authorised",
    "payment.captured",
    "payment.po_number",
    "sold_to.country",
    "sold_to.region",
    "sold_to.business",
    "totals.grand",
    "totals.tax",
    "lines[*].position",
    "lines[*].parent",
    "lines[*].form",
    "lines[*].sku",
    "lines[*].name",
    "lines[*].variant",
    "lines[*].quantity",
    "lines[*].shipped",
    "lines[*].invoiced",
    "lines[*].refunded",
    "lines[*].cancelled",
    "lines[*].net",
    "lines[*].discount",
    "lines[*].tax",
    "lines[*].taxes[*]",
    "charges[*].title",
    "charges[*].net",
    "charges[*].tax",
    "charges[*].taxes[*]",
];
const CUSTOMER: &[&str] = &["name", "email", "tax_id", "phone", "group", "addresses[*]"];
/// A telephone stands in addresses only, and a list of addresses replaces all that are there: what a buyer types between our
/// look and our request is lost, and the file has to say so on purpose.
const CUSTOMER_WRITES: &[&str] = &["name", "email", "tax_id", "phone", "group", "addresses[*]"];
/// The attributes the file names; a probe puts those in its place that are there.
pub(super) const ATTRIBUTES: &str = "attributes.*";
const VARIANT: &[&str] = &[
    "sku",
    "form",
    "active",
    "serial",
    "weight",
    ATTRIBUTES,
    SORTED,
    PARTS,
    "texts.*.name",
    "texts.*.description",
    "changed.at",
];
/// The categories of a product.
const SORTED: &str = "categories[*]";
const VARIANT_WRITES: &[&str] = &["active", "weight", ATTRIBUTES, SORTED, PARTS, "texts.*.name", "texts.*.description"];
const CATEGORY: &[&str] = &["parent", "active", "texts.*.name"];
/// What is told of images, and written: adding one is guarded by a look at the bytes that are there.
const IMAGES: &[&str] = &["images[*]", "images[*].label", "images[*].position", "images[*].roles", "images[*].twice"];
/// A family is what a product is, without what belongs to its children; these are told by number.
const FAMILY: &[&str] = &[
    "key",
    "form",
    "active",
    "serial",
    "options[*]",
    "variants[*]",
    "texts.*.name",
    "texts.*.description",
    "changed.at",
];
const FAMILY_WRITES: &[&str] = &["active", "options[*]", "variants[*]", "texts.*.name", "texts.*.description"];
/// What a shipment tells, and what one is made with; of one that is there its parcels are written.
const SHIPMENT: &[&str] = &[
    "number",
    "life",
    "order",
    "day",
    "place",
    "lines[*].quantity",
    "lines[*].sku",
    "tracks[*].carrier",
    "tracks[*].title",
];
const SHIPMENT_WRITES: &[&str] = &["place", "lines[*].quantity", "tracks[*]", "tracks[*].carrier", "tracks[*].title"];
/// What an invoice tells, and what one is made with: its money the shop works out, and it is made only where that is `grand`.
const INVOICE: &[&str] = &[
    "number",
    "life",
    "order",
    "day",
    "currency",
    "grand",
    "lines[*].quantity",
    "lines[*].net",
    "lines[*].tax",
    "lines[*].sku",
    "charges[*].net",
];
const INVOICE_WRITES: &[&str] = &["life", "grand", "method", "lines[*].quantity"];
/// What a payment tells; nothing of it is written.
const PAYMENT: &[&str] = &["number", "life", "order", "day", "currency", "grand", "method"];
/// What a credit is made with: the money of its lines the shop works out, that beside them is told.
const CREDIT_WRITES: &[&str] = &["life", "grand", "lines[*].quantity", "charges[*].net"];
const STOCK: &[&str] = &["variant", "managed", "salable", "reserved", "levels[*].on_hand", "levels[*].counted"];
const PRICE: &[&str] = &["variant", "lists[*]", "prices[*]", "prices[*].until"];
const PRICE_WRITES: &[&str] = &["prices[*]", "prices[*].until"];
/// Variants whose prices go in one request: three short reads each tell before and afterwards what is there.
const PRICE_BATCH: usize = 50;
/// Variants whose quantities go in one request: two short reads tell afterwards what became of them.
pub(super) const STOCK_BATCH: usize = 50;
/// Ids grow and are never given twice (`AUTO_INCREMENT`).
const KEY_ORDER: &str = "entity_id ascending";

/// Seconds after which a save can no longer land: PHP's and a gateway's usual limits, doubled.
const SETTLE_S: u32 = 240;

/// How a product is kept from being made twice. The SKU is unique, but a `POST` of one that is there is no refusal: it
/// overwrites. So it is looked for first, and after a doubt when nothing can land any more.
fn made_once() -> GuardClaim {
    GuardClaim {
        step: Step::Create,
        guard: Guard::Look { field: "sku".to_owned(), settle_s: SETTLE_S },
        when: String::new(),
        source: "recorded: product-create-again-same-sku".to_owned(),
    }
}

/// How a category is kept from being made twice: a second one of one name below one parent is refused, for it has the same
/// address; and it is looked for.
fn sorted_once() -> GuardClaim {
    GuardClaim {
        step: Step::Create,
        guard: Guard::Look { field: "name".to_owned(), settle_s: SETTLE_S },
        when: String::new(),
        source: "recorded: category-create; magento/magento2#3268".to_owned(),
    }
}

/// How a paper is kept from being made twice: the shop makes a second one without a word, so it is looked for by the mark in
/// its comments.
fn told_once(source: &str) -> GuardClaim {
    GuardClaim {
        step: Step::Create,
        guard: Guard::Look { field: "comment".to_owned(), settle_s: SETTLE_S },
        when: String::new(),
        source: source.to_owned(),
    }
}

/// Makes `stock` that of a shop without sources: it takes what buyers may have, and lowers it itself.
pub(super) fn one_quantity(stock: &mut KindProfile) {
    let on_hand = "levels[*].on_hand";
    let available = "levels[*].available".to_owned();
    stock.reads.retain(|path| path != "reserved" && path != on_hand);
    stock.reads.push(available.clone());
    stock.writes = vec![available];
}

fn texts(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

/// A kind whose `paths` are read, and whose changes are told by the field `since`.
fn reading(paths: &[&str], since: &str) -> KindProfile {
    KindProfile {
        reads: texts(paths),
        since: since.to_owned(),
        key_order: KEY_ORDER.to_owned(),
        batch: 1,
        ..KindProfile::default()
    }
}

/// A shipment: made once, and its parcels changed; a number that is there is not added again.
fn shipment() -> KindProfile {
    KindProfile {
        writes: texts(SHIPMENT_WRITES),
        steps: vec![Step::Create, Step::Update],
        guards: vec![told_once("recorded: ship-repeat-same-request, shipments-of-it")],
        settle_s: Some(SETTLE_S),
        ..reading(SHIPMENT, "")
    }
}

/// An invoice: made once, and not touched afterwards.
fn invoice() -> KindProfile {
    KindProfile {
        writes: texts(INVOICE_WRITES),
        steps: vec![Step::Create],
        guards: vec![told_once("recorded: invoice-capture-false, invoices-of-it; `InvoiceOrder` of module Sales")],
        settle_s: Some(SETTLE_S),
        ..reading(INVOICE, "")
    }
}

/// A credit: made once, and not touched afterwards; it tells what an invoice does.
fn credit() -> KindProfile {
    KindProfile {
        writes: texts(CREDIT_WRITES),
        since: "updated_at".to_owned(),
        guards: vec![told_once("recorded: order-refund-partial, creditmemos-of-it; `RefundOrder` of module Sales")],
        ..invoice()
    }
}

/// The profile. Of updates none needs a guard: saving the same `ext_order_id` twice leaves one value
/// (recorded: order-ext-id, order-get-after-ext), and so does setting a quantity (recorded: source-items-duplicate-row,
/// source-items-of-lamp). No read can be asked for changed quantities: rows have no time (recorded: source-items-get)
/// and a product's `updated_at` does not move (recorded: updated-at-after-stock). It moves with a save of the product in
/// any store view (recorded: product-german-disable, sku-rename); a text set twice is one text, and a price one price
/// (recorded: tier-price-same-again). Prices move it as little as quantities do (recorded: updated-at-after-tier,
/// updated-at-after-base-price).
pub(super) fn profile() -> Profile {
    let order = KindProfile {
        writes: vec!["reference".to_owned()],
        steps: vec![Step::Update, Step::Cancel],
        ..reading(ORDER, "updated_at")
    };
    let customer = KindProfile {
        writes: texts(CUSTOMER_WRITES),
        steps: vec![Step::Update],
        settle_s: Some(SETTLE_S),
        ..reading(CUSTOMER, "updated_at")
    };
    let category = KindProfile {
        writes: texts(CATEGORY),
        steps: vec![Step::Create, Step::Update],
        guards: vec![sorted_once()],
        settle_s: Some(SETTLE_S),
        ..reading(CATEGORY, "")
    };
    let stock = KindProfile {
        writes: vec!["levels[*].on_hand".to_owned()],
        steps: vec![Step::Update],
        batch: STOCK_BATCH,
        settle_s: Some(SETTLE_S),
        ..reading(STOCK, "")
    };
    let variant = KindProfile {
        writes: texts(&[VARIANT_WRITES, IMAGES].concat()),
        steps: vec![Step::Create, Step::Update],
        guards: vec![made_once()],
        settle_s: Some(SETTLE_S),
        ..reading(&[VARIANT, IMAGES].concat(), "updated_at")
    };
    let family = KindProfile { reads: texts(FAMILY), writes: texts(FAMILY_WRITES), ..variant.clone() };
    let price = KindProfile {
        writes: texts(PRICE_WRITES),
        steps: vec![Step::Update],
        batch: PRICE_BATCH,
        settle_s: Some(SETTLE_S),
        ..reading(PRICE, "")
    };
    Profile {
        name: "magento".to_owned(),
        title: "Magento 2 / Adobe Commerce".to_owned(),
        api_version: "V1 (2.4)".to_owned(),
        sunset: None,
        kinds: BTreeMap::from([
            (Kind::Order, order),
            (Kind::Customer, customer),
            (Kind::Category, category),
            (Kind::Product, family),
            (Kind::Variant, variant),
            (Kind::Stock, stock),
            (Kind::Price, price),
            (Kind::Shipment, shipment()),
            (Kind::Invoice, invoice()),
            (Kind::Payment, reading(PAYMENT, "updated_at")),
            (Kind::Credit, credit()),
        ]),
        calls_in_flight: 4,
    }
}
