//! What Tryton can do at best, and what one Tryton can do as it is set up.

use super::config::{Config, SETTLE_S};
use super::images::MODULE;
use super::kits;
use super::map::PRICE_DIGITS;
use super::notes::POST;
use super::setup::Setup;
use super::{Tryton, map};
use std::collections::BTreeMap;
use std::sync::Arc;
use syncline_connect::{Choice, Ctx, Probe, Result};
use syncline_core::kind::{Kind, Step};
use syncline_core::profile::{Guard, GuardClaim, KindProfile, Profile};
use syncline_core::record::PARTS;
use syncline_core::rules::Branch;

const WITH_SHOP: &str = "module web_shop is activated and a web shop is chosen";
const WITHOUT_SHOP: &str = "module web_shop is not there, or no web shop is chosen";

/// What a sale tells; what of it is billed and given back where refunds are carried.
const ORDER_READS: [&str; 23] = [
    "number",
    "reference",
    "stage",
    "currency",
    "customer",
    "billing",
    "shipping",
    "fixed",
    "in_hand",
    "left",
    "in_force",
    "totals.grand",
    "totals.tax",
    "lines[*].position",
    "lines[*].form",
    "lines[*].sku",
    "lines[*].name",
    "lines[*].quantity",
    "lines[*].shipped",
    "lines[*].invoiced",
    "lines[*].refunded",
    "lines[*].net",
    "charges[*].net",
];

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn claim(step: Step, guard: Guard, when: &str, source: &str) -> GuardClaim {
    GuardClaim { step, guard, when: when.to_string(), source: source.to_string() }
}

/// What Tryton can do at best.
pub(super) fn best(config: &Config) -> Profile {
    let kinds = BTreeMap::from([
        (Kind::Order, orders(config.settle_s.unwrap_or(SETTLE_S))),
        (Kind::Customer, customers()),
        (Kind::Category, categories(config.settle_s.unwrap_or(SETTLE_S))),
        (Kind::Product, families(config.settle_s.unwrap_or(SETTLE_S))),
        (Kind::Variant, variants(config.settle_s.unwrap_or(SETTLE_S))),
        (Kind::Stock, stock()),
        (Kind::Price, prices()),
        (Kind::Shipment, shipments()),
        (Kind::Invoice, invoices()),
        (Kind::Credit, credits(config.settle_s.unwrap_or(SETTLE_S))),
        (Kind::Payment, payments()),
    ]);
    Profile {
        name: "tryton".to_string(),
        title: "Tryton".to_string(),
        api_version: "8.0".to_string(),
        sunset: None,
        kinds,
        calls_in_flight: 4,
    }
}

fn orders(settle_s: u32) -> KindProfile {
    let stages = ["quote", "confirm", "process"];
    let mut steps = vec![Step::Create, Step::Lines];
    steps.extend(stages.iter().map(|stage| Step::Advance((*stage).to_string())));
    steps.extend([Step::Amend, Step::Cancel, Step::Delete]);
    KindProfile {
        reads: owned(&ORDER_READS),
        writes: owned(&[
            "reference",
            "day",
            "currency",
            "customer",
            "billing",
            "shipping",
            "payment.method",
            "lines[*].variant",
            "lines[*].quantity",
            "lines[*].net",
            "lines[*].name",
            "lines[*].taxes[*]",
            "charges[*].net",
            "charges[*].taxes[*]",
        ]),
        steps,
        since: "write_date or create_date".to_string(),
        key_order: "id ascending".to_string(),
        batch: 10,
        guards: vec![
            claim(
                Step::Create,
                Guard::Unique { field: "web_id".to_string() },
                WITH_SHOP,
                "Tryton 8.0 live: duplicate (web_shop, web_id) refused",
            ),
            claim(
                Step::Create,
                Guard::DraftElect { field: "description".to_string(), settle_s },
                WITHOUT_SHOP,
                "Tryton 8.0 live: a draft reserves and sends nothing; drafts can be cancelled and deleted",
            ),
        ],
        stages: owned(&stages),
        settle_s: None,
        released_from: "confirm".to_string(),
        price_digits: Some(PRICE_DIGITS),
    }
}

fn customers() -> KindProfile {
    KindProfile {
        reads: owned(&["name", "email", "tax_id", "phone", "group", "code", "active", "addresses[*]"]),
        writes: owned(&["name", "email", "tax_id", "phone", "group", "addresses[*]"]),
        steps: vec![Step::Create, Step::Attach("addresses".to_string()), Step::Update],
        since: "write_date or create_date".to_string(),
        key_order: "id ascending".to_string(),
        batch: 10,
        guards: vec![
            claim(
                Step::Create,
                Guard::Unique { field: "code".to_string() },
                "",
                "Tryton 8.0 live: duplicate code refused",
            ),
            claim(
                Step::Attach("addresses".to_string()),
                Guard::Unique { field: "_timestamp".to_string() },
                "",
                "Tryton 8.0 live: a write on an older version of the party is refused",
            ),
            claim(
                Step::Update,
                Guard::Unique { field: "_timestamp".to_string() },
                "",
                "Tryton 8.0 live: a write on an older version of the party is refused",
            ),
        ],
        ..KindProfile::default()
    }
}

/// The attributes the file names; a probe puts those in its place that are there.
const ATTRIBUTES: &str = "attributes.*";
/// What module `product_image` tells; nothing of it is written, for it converts what is uploaded.
const IMAGES: [&str; 2] = ["images[*]", "images[*].position"];

/// Texts, weight, attributes and use of products as a running Tryton 8.0 kept them, recorded by `xtask/real/record_tryton.py`.
fn variants(settle_s: u32) -> KindProfile {
    let texts = ["texts.*.name", "texts.*.description"];
    let versioned = Guard::Unique { field: "_timestamp".to_string() };
    KindProfile {
        reads: owned(
            &["sku", "form", "family", "active", "weight", ATTRIBUTES, "categories[*]", "changed.at", "changed.by"]
                .into_iter()
                .chain(texts)
                .chain(IMAGES)
                .chain([PARTS])
                .collect::<Vec<_>>(),
        ),
        writes: owned(&["active", "weight", ATTRIBUTES, "categories[*]"].into_iter().chain(texts).collect::<Vec<_>>()),
        steps: vec![Step::Update],
        since: "write_date".to_string(),
        key_order: "id ascending".to_string(),
        batch: 1,
        guards: vec![claim(
            Step::Update,
            versioned,
            "",
            "Tryton 8.0 live: a write on an older version of the product or its template is refused",
        )],
        settle_s: Some(settle_s),
        ..KindProfile::default()
    }
}

/// Categories of products as module `product` of Tryton has them: a tree, the names by language.
fn categories(settle_s: u32) -> KindProfile {
    KindProfile {
        reads: owned(&["parent", "texts.*.name", "changed.at", "changed.by"]),
        writes: owned(&["parent", "texts.*.name"]),
        steps: vec![Step::Update],
        guards: vec![claim(
            Step::Update,
            Guard::Unique { field: "_timestamp".to_string() },
            "",
            "Tryton 8.0 live: a write on an older version of a record is refused, seen of parties and products",
        )],
        settle_s: Some(settle_s),
        since: "write_date or create_date".to_string(),
        key_order: "id ascending".to_string(),
        batch: 1,
        ..KindProfile::default()
    }
}

/// Templates with several products: their names and whether they are used as those of any template. Which products belong
/// to one is Tryton's own to say, and so are the attributes these have.
fn families(settle_s: u32) -> KindProfile {
    let writes = owned(&["active", "texts.*.name"]);
    let told = ["key", "form", "options[*]", "variants[*]", "changed.at", "changed.by"];
    KindProfile { reads: owned(&told).into_iter().chain(writes.clone()).collect(), writes, ..variants(settle_s) }
}

/// Figures as a running Tryton 8.0 told them, recorded by `xtask/real/record_tryton.py`. Nothing is written.
fn stock() -> KindProfile {
    KindProfile {
        reads: owned(&["variant", "managed", "levels[*].on_hand", "levels[*].available"]),
        since: "stock.move write_date or create_date".to_string(),
        key_order: "id ascending".to_string(),
        batch: 1,
        ..KindProfile::default()
    }
}

/// Prices as a running Tryton 8.0 computed them, recorded by `xtask/real/record_tryton.py`. Nothing is written.
fn prices() -> KindProfile {
    KindProfile {
        reads: owned(&["variant", "lists[*]", "prices[*]", "prices[*].until"]),
        since: "write_date".to_string(),
        key_order: "id ascending".to_string(),
        batch: 1,
        ..KindProfile::default()
    }
}

/// What of an invoice is still to be paid.
const OWED: &str = "owed";
/// What module `stock_package_shipping` tells of a shipment.
const TRACKS: &str = "tracks[*]";

/// Shipments to customers as a running Tryton 8.0 told them. Nothing is written.
fn shipments() -> KindProfile {
    KindProfile {
        reads: owned(&["number", "life", "order", "day", "place", "lines[*].quantity", "lines[*].sku", TRACKS]),
        since: "write_date or create_date, also of moves and packages".to_string(),
        key_order: "id ascending".to_string(),
        batch: 1,
        ..KindProfile::default()
    }
}

/// Invoices to customers as a running Tryton 8.0 told them. Nothing is written.
fn invoices() -> KindProfile {
    let told = ["number", "life", "order", "day", "currency", "grand", OWED, "charges[*].net"];
    let lines = ["lines[*].quantity", "lines[*].net", "lines[*].sku"];
    KindProfile {
        reads: owned(&told).into_iter().chain(owned(&lines)).collect(),
        since: "write_date or create_date, also of lines".to_string(),
        ..shipments()
    }
}

/// What gives money back, which is an invoice, too, of which nothing is asked for; made for what was given back in a shop.
fn credits(settle_s: u32) -> KindProfile {
    let mut reads = invoices().reads;
    reads.retain(|path| path != OWED);
    KindProfile {
        reads,
        writes: owned(&["number", "currency", "lines[*].quantity", "lines[*].net", "charges[*].net"]),
        steps: vec![Step::Create, Step::Lines, Step::Advance(POST.to_string()), Step::Delete],
        guards: vec![claim(
            Step::Create,
            Guard::DraftElect { field: "reference".to_string(), settle_s },
            "",
            "Tryton 8.0 live: a draft has no number and no move, and can be deleted",
        )],
        stages: owned(&[POST]),
        released_from: POST.to_string(),
        price_digits: Some(PRICE_DIGITS),
        ..invoices()
    }
}

/// Payments as the wizard `account.invoice.pay` books them, a part on each invoice. Each writes the invoice, so that its version
/// keeps a second one away.
fn payments() -> KindProfile {
    let versioned = || Guard::Unique { field: "_timestamp".to_string() };
    let source = "Tryton 8.0 live: a payment on an older version of the invoice is refused";
    KindProfile {
        reads: owned(&["life", "order", "day", "currency", "grand", "lines[*].net"]),
        writes: owned(&["number", "day", "method", "lines[*].net"]),
        steps: vec![Step::Create, Step::Attach("lines".to_string())],
        key_order: "id ascending".to_string(),
        batch: 1,
        guards: vec![
            claim(Step::Create, versioned(), "", source),
            claim(Step::Attach("lines".to_string()), versioned(), "", source),
        ],
        ..KindProfile::default()
    }
}

/// The profile with the guards that are really there, without the kinds that cannot be read.
fn effective(best: &Profile, setup: &Setup, branches: &[Arc<Setup>], unread: &[Kind]) -> Profile {
    let mut profile = best.clone();
    profile.kinds.retain(|kind, _| !unread.contains(kind));
    if let (Some(shipments), false) = (profile.kinds.get_mut(&Kind::Shipment), setup.parcels) {
        shipments.reads.retain(|path| path != TRACKS);
    }
    let unique = branches.iter().all(|branch| branch.web_shop.is_some());
    if let Some(orders) = profile.kinds.get_mut(&Kind::Order) {
        orders.guards.retain(|claim| matches!(claim.guard, Guard::Unique { .. }) == unique);
    }
    if let (Some(customers), None) = (profile.kinds.get_mut(&Kind::Customer), &setup.lists) {
        customers.reads.retain(|path| path != "group");
        customers.writes.retain(|path| path != "group");
    }
    if let (Some(variants), true) = (profile.kinds.get_mut(&Kind::Variant), setup.weight_units.is_empty()) {
        variants.reads.retain(|path| path != "weight");
        variants.writes.retain(|path| path != "weight");
    }
    if let (Some(variants), false) = (profile.kinds.get_mut(&Kind::Variant), setup.modules.contains(MODULE)) {
        variants.reads.retain(|path| !IMAGES.contains(&path.as_str()));
    }
    if let (Some(variants), false) = (profile.kinds.get_mut(&Kind::Variant), setup.modules.contains(kits::MODULE)) {
        variants.reads.retain(|path| path != PARTS);
    }
    if let Some(variants) = profile.kinds.get_mut(&Kind::Variant) {
        variants.reads.retain(|path| path != ATTRIBUTES);
        variants.writes.retain(|path| path != ATTRIBUTES);
        for (name, attribute) in setup.attributes.iter() {
            let path = format!("attributes.{name}");
            if attribute.source != map::Source::TaxCategory {
                variants.writes.push(path.clone());
            }
            variants.reads.push(path);
        }
    }
    profile
}

fn choice(code: &str, title: &str, hint: String) -> Choice {
    Choice { code: code.to_string(), title: title.to_string(), hint }
}

/// Rows a mapping table can point to.
fn choices(
    setup: &Setup,
    branches: &[Arc<Setup>],
    codes: &map::Codes,
    lists: &[map::PriceList],
) -> BTreeMap<String, Vec<Choice>> {
    let named = |name: &str| choice(name, name, String::new());
    let taxes = branches.iter().flat_map(|branch| &branch.taxes).collect::<BTreeMap<_, _>>().into_iter();
    let taxes = taxes.map(|(name, tax)| choice(name, name, tax.percent.to_string())).collect();
    let shops: BTreeMap<&str, &str> = branches
        .iter()
        .flat_map(|branch| branch.web_shops.iter().map(|shop| (shop.name.as_str(), branch.company_name.as_str())))
        .collect();
    let currencies = setup.currencies.keys().map(|code| choice(code, code, code.clone())).collect();
    let charges = [(&codes.shipping, &setup.shipping), (&codes.rounding, &setup.rounding)];
    let products = charges.iter().filter(|(_, there)| there.is_some()).map(|(code, _)| named(code)).collect();
    let languages =
        setup.languages.iter().map(|one| choice(&map::locale(&one.code), &one.name, String::new())).collect();
    let currency = setup.currency.map(|currency| currency.to_string()).unwrap_or_default();
    let base = choice(map::BASE, "List price", currency.clone());
    let lists = lists.iter().map(|list| choice(&list.name, &list.name, currency.clone()));
    let attribute = |(name, one): (&String, &map::Attribute)| choice(name, &one.title, one.form.word().to_string());
    BTreeMap::from([
        ("attributes".to_string(), setup.attributes.iter().map(attribute).collect()),
        ("price_lists".to_string(), std::iter::once(base).chain(lists).collect()),
        ("languages".to_string(), languages),
        ("taxes".to_string(), taxes),
        ("payment_terms".to_string(), setup.terms.keys().map(|name| named(name)).collect()),
        ("currencies".to_string(), currencies),
        ("companies".to_string(), setup.companies.iter().map(|name| named(name)).collect()),
        (
            "web_shops".to_string(),
            shops.into_iter().map(|(shop, company)| choice(shop, company, String::new())).collect(),
        ),
        ("products".to_string(), products),
        ("warehouses".to_string(), setup.warehouses.iter().map(|w| choice(&w.place, &w.name, String::new())).collect()),
    ])
}

impl Tryton {
    /// What this Tryton can do. Reads its set-up anew.
    pub(super) async fn probed(&self, ctx: &Ctx) -> Result<Probe> {
        let setup = self.setup_since(ctx, &Branch::default(), Some(jiff::Timestamp::MAX)).await?;
        let mut warnings = setup.warnings.clone();
        let mut branches = vec![Arc::clone(&setup)];
        for branch in &self.config.branches {
            let other = self.setup_since(ctx, branch, Some(jiff::Timestamp::MAX)).await?;
            warnings.extend(other.warnings.iter().filter(|text| !setup.warnings.contains(text)).cloned());
            branches.push(other);
        }
        let scopes = branches.iter().map(|one| (one.company.to_string(), one.company_name.clone()));
        let scopes: BTreeMap<String, String> = scopes.collect();
        if self.config.images && !setup.modules.contains(MODULE) {
            warnings.push(format!("images of products stay as they are: module `{MODULE}` is not activated"));
        }
        if self.config.amends && !setup.modules.contains(super::amend::MODULE) {
            warnings.push(format!(
                "what a shop cancels of a part of an order cannot be carried over once its sale is processed: activate module \
                 `{}`, or cut such sales down by hand",
                super::amend::MODULE
            ));
        }
        let (lists, unread) = self.price_lists(ctx, &setup).await?;
        warnings.extend(unread);
        let unread = self.unread(ctx, &setup).await?;
        warnings.extend(unread.iter().map(|(_, what)| what.clone()));
        let mut unread: Vec<Kind> = unread.into_iter().map(|(kind, _)| kind).collect();
        let ways = match self.config.payments {
            true => self.ways_to_book(ctx, &branches, &mut warnings).await?,
            false => Some(Vec::new()),
        };
        unread.extend(ways.is_none().then_some(Kind::Payment));
        let mut choices = choices(&setup, &branches, &self.codes, &lists);
        choices.insert("carriers".to_string(), self.carriers(ctx, &setup).await?);
        choices.extend(ways.map(|ways| ("payment_methods".to_string(), ways)));
        let version = match self.client.version(ctx).await {
            Ok(version) => version,
            Err(error) => {
                warnings.push(format!("the server does not tell its version: {}", error.message));
                "unknown".to_string()
            }
        };
        if version != "unknown" && !version.starts_with("8.0") {
            warnings.push(format!("this is Tryton {version}; only 8.0 has been tried"));
        }
        Ok(Probe {
            version,
            profile: effective(&self.profile, &setup, &branches, &unread),
            scopes: scopes.into_iter().collect(),
            zone: setup.zone.clone(),
            choices,
            warnings,
        })
    }
}
