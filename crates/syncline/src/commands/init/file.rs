//! The text of `syncline.toml`: short, and meant to be read.

use super::answers::{Answers, Entry, KEYS, Shop, variable};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::fmt::Write;
use syncline_connect::{Choice, Probe};

/// The text, and what a person should look at.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

/// Stands between a line and its remark until all are lined up; no value holds it unescaped.
const REMARK: char = '\u{1}';
/// Where remarks begin.
const COLUMN: usize = 42;

/// `text` with its remarks one below the other.
fn lined_up(text: &str) -> String {
    let line = |line: &str| match line.split_once(REMARK) {
        Some((code, remark)) => format!("{code:<COLUMN$} # {remark}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// `text` as a TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A comment of one line.
fn remark(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The systems alone, to be asked.
pub(super) fn first(answers: &Answers) -> String {
    lined_up(&systems(answers, None))
}

/// The systems; with what the ERP offers where it was asked already.
fn systems(answers: &Answers, erp: Option<&Probe>) -> String {
    let mut text = String::new();
    let place = &answers.erp;
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    for Shop { place: shop, entry } in &answers.shops {
        line(format!("[systems.{}]", shop.name));
        line(format!("kind = {}", quoted(shop.kind.word())));
        line(format!("uid = {}{REMARK}drawn once; never change it", quoted(&shop.uid)));
        line(format!("url = {}", quoted(&shop.url)));
        shop.website.iter().for_each(|website| line(format!("website = {}", quoted(website))));
        let keys = match entry {
            Entry::Keys => KEYS.as_slice(),
            Entry::Token => &["token"],
            Entry::Login => &["login", "password"],
        };
        keys.iter().for_each(|key| line(format!("{key} = \"env:{}\"", variable(&shop.name, key))));
        line(String::new());
    }
    line("[systems.erp]".into());
    line(format!("kind = {}", quoted(place.kind.word())));
    line(format!("uid = {}{REMARK}drawn once; never change it", quoted(&place.uid)));
    line(format!("url = {}", quoted(&place.url)));
    line("login = \"env:SYNCLINE_ERP_LOGIN\"".into());
    line("password = \"env:SYNCLINE_ERP_PASSWORD\"".into());
    if let Some(erp) = erp {
        offers(erp).into_iter().for_each(line);
    }
    text
}

fn codes<'a>(probe: &'a Probe, table: &str) -> Vec<&'a Choice> {
    probe.choices.get(table).map(|rows| rows.iter().collect()).unwrap_or_default()
}

/// Web shop and products of charges, chosen where there is one choice only.
fn offers(erp: &Probe) -> Vec<String> {
    let mut lines = Vec::new();
    match codes(erp, "web_shops").as_slice() {
        [one] => lines.push(format!("web_shop = {}{REMARK}its web id keeps a second sale away", quoted(&one.code))),
        [] => lines.push(format!("# web_shop = \"…\"{REMARK}there is none: drafts are elected instead")),
        several => {
            let names: Vec<String> = several.iter().map(|shop| remark(&shop.code)).collect();
            lines.push(format!("# web_shop = \"…\"{REMARK}choose: {}", names.join(", ")));
        }
    }
    let products = codes(erp, "products");
    for (key, code, use_for) in
        [("shipping_product", "SHIPPING", "shipping"), ("rounding_product", "ROUNDING", "rounding")]
    {
        if products.iter().any(|product| product.code == code) {
            lines.push(format!("{key} = {}{REMARK}what {use_for} is booked on", quoted(code)));
        } else {
            lines.push(format!("# {key} = \"…\"{REMARK}code of a salable service for {use_for}"));
        }
    }
    lines.push(format!("# closed_periods = \"today\"{REMARK}ask | today: what is done about money of a closed period"));
    lines
}

/// The whole file.
pub(super) fn whole(answers: &Answers, shops: &[(&str, Probe)], erp: &Probe, start: &str) -> Written {
    let mut notes = Vec::new();
    let mut text = format!(
        "# Six answers for each flow: which challenge (why), what it depends on (needs), which way (from, to),\n\
         # who is master (the side it comes from), how it is handled today (today), how often (every).\n\n{}",
        systems(answers, Some(erp))
    );
    let (why, today) = (quoted(&answers.why), quoted(&answers.today));
    let names: Vec<String> = shops.iter().map(|(name, _)| quoted(name)).collect();
    let to = format!("[{}]", names.join(", "));
    let (from, number) = match names.as_slice() {
        [one] => (one.clone(), "{number}"),
        _ => (to.clone(), "{system}-{number}"),
    };
    text.push_str(&format!(
        r#"
[flows.products]
why = "an order's lines have to point to the ERP's products"
today = {today}
from = "erp"
to = {to}
every = "5m"
mode = "off"{r}`syncline adopt` ties them by SKU, whatever the mode; on | watch | off
# create = true{r}make what only the ERP has in the shop, disabled at first
# fields = {{ "texts.*.description" = "shop" }}
# who decides a field: `erp` or `shop` owns it (erp, unless told), `keep` each its
# own, `merge` whoever changed it; `merge:erp` where both did, the ERP wins

[flows.customers]
why = {why}
today = {today}
from = {from}
to = ["erp"]
every = "1m"
mode = "on"{r}off | watch (plan and verify only) | on
# fields = {{ "tax_id" = "erp" }}{r}the shop owns what its buyers keep there, unless told
"#,
        r = REMARK,
    ));
    orders(&mut text, (&why, &today, &from), start, number);
    inventory(&mut text, &mut notes, shops, erp, (&to, &today));
    papers(&mut text, (&to, &today));
    prices(&mut text, shops, erp, (&to, &today));
    taxes(&mut text, &mut notes, shops, erp);
    payments(&mut text, &mut notes, erp);
    groups(&mut text, shops, erp);
    Written { text: lined_up(&text), notes }
}

/// Orders, from today on unless told otherwise.
fn orders(text: &mut String, (why, today, from): (&str, &str, &str), start: &str, number: &str) {
    text.push_str(&format!(
        r#"
[flows.orders]
why = {why}
today = {today}
from = {from}
to = ["erp"]
every = "1m"
mode = "on"{r}off | watch (plan and verify only) | on
needs = ["customers", "products"]
start = {}{r}by order day in the shop's zone; `all` for every order
tax = "erp-check"{r}the ERP computes; what it computes is checked to the cent
number = "{number}"{r}what the ERP's reference says
# release = {{ banktransfer = "paid", "*" = "authorized" }}
# placed | authorized | paid; unless told: placed for payment by transfer,
# cheque, on delivery and on terms, authorized for all others;
# {{ when = "paid", within = "7d" }} asks a person after a week, not after 14 days
# amendments = "carry"{r}ask | carry: orders that change in the shop once they were taken over
# carried: those cancelled whole or in part, and other addresses, as far as goods wait and
# nothing is billed; a part of a sale in process needs Tryton's module `sale_amendment`;
# a person is asked about the rest
# cancels = "erp"{r}ask | erp: a sale cancelled in the ERP is cancelled in the shop
"#,
        quoted(start),
        r = REMARK,
    ));
}

/// Stock, switched off until a person has seen what it would write: every warehouse shown in each shop's first place.
fn inventory(
    text: &mut String,
    notes: &mut Vec<String>,
    shops: &[(&str, Probe)],
    erp: &Probe,
    (to, today): (&str, &str),
) {
    let warehouses = codes(erp, "warehouses");
    let places: Vec<(&str, Vec<&Choice>)> = shops.iter().map(|(name, shop)| (*name, codes(shop, "sources"))).collect();
    let first: Vec<(&str, &Choice)> =
        places.iter().filter_map(|(name, places)| Some((*name, *places.first()?))).collect();
    let Some((_, place)) = first.first().filter(|_| !warehouses.is_empty() && first.len() == shops.len()) else {
        notes.push("no [flows.inventory] was written: it takes a source in the shop and a warehouse in the ERP".into());
        return;
    };
    let names: Vec<String> = warehouses.iter().map(|warehouse| quoted(&warehouse.code)).collect();
    text.push_str(&format!(
        r#"
[flows.inventory]
why = "what is sold out must not be sold again"
today = {today}
from = "erp"
to = {to}
every = "1m"
mode = "off"{r}`watch` shows in `syncline plan inventory` what `on` would write
needs = ["products"]
safety = 0{r}pieces of each variant kept from buyers

[flows.inventory.sources]{r}the shop's source = the ERP's warehouses whose sum it shows
{} = [{}]
"#,
        quoted(&place.code),
        names.join(", "),
        r = REMARK,
    ));
    for (name, other) in first.iter().filter(|(_, other)| other.code != place.code) {
        let place = quoted(&other.code);
        text.push_str(&format!("\n[flows.inventory.at.{name}.sources]\n{place} = [{}]\n", names.join(", ")));
    }
    for (name, places) in places.iter().filter(|(_, places)| places.len() > 1) {
        let chosen = places.first().map_or("", |place| place.code.as_str());
        notes.push(format!("{name} has {} sources; stock is shown in `{}`", places.len(), remark(chosen)));
    }
}

/// Papers, switched off: what left the ERP's warehouses is told to the shop that the order is from.
fn papers(text: &mut String, (to, today): (&str, &str)) {
    text.push_str(&format!(
        r#"
[flows.papers]
why = "buyers ask where their parcel is"
today = {today}
from = "erp"
to = {to}
every = "1m"
mode = "off"{r}`watch` shows in `syncline plan papers` what `on` would write
needs = ["orders"]
# carriers = {{ "DHL" = "dhl", "*" = "custom" }}{r}the ERP's carrier = the shop's code
# invoices = "paid"{r}posted | paid | off: telling the shop of one counts it as paid
# credits = "posted"{r}posted | paid | off: the shop counts the money as given back
# payments = {{ "paypal*" = "PayPal", checkmo = "off" }}{r}the shop's payment method = the ERP's that books the money, "off" where the ERP does by itself
# refunds = "carry"{r}ask | draft | carry: what is given back in the shop becomes a credit note
"#,
        r = REMARK,
    ));
}

/// Prices, switched off: the ERP's list price as the shop's base price, and lists that a group of customers is called by.
fn prices(text: &mut String, shops: &[(&str, Probe)], erp: &Probe, (to, today): (&str, &str)) {
    let theirs = codes(erp, "price_lists");
    let base = |(_, shop): &(&str, Probe)| codes(shop, "price_lists").iter().any(|list| list.code == "base");
    let both = shops.iter().all(base) && theirs.iter().any(|list| list.code == "list");
    let lists: Vec<(&str, String)> = shops.iter().map(|(name, shop)| (*name, lists(shop, &theirs))).collect();
    let Some((_, first)) = lists.first().filter(|_| both) else { return };
    text.push_str(&format!(
        r#"
[flows.prices]
why = "prices were typed twice"
today = {today}
from = "erp"
to = {to}
every = "5m"
mode = "off"{r}look at `syncline plan prices` under `watch` first
needs = ["products"]
tax = "net"{r}both sides keep prices without tax; nothing else is built yet

[flows.prices.lists]{r}the shop's list = the ERP's list whose prices it shows
{first}"#,
        r = REMARK,
    ));
    for (name, own) in lists.iter().filter(|(_, own)| own != first) {
        text.push_str(&format!("\n[flows.prices.at.{name}.lists]\n{own}"));
    }
}

/// The rows of one shop: its base price, and the groups of customers that a list of the ERP is called by.
fn lists(shop: &Probe, theirs: &[&Choice]) -> String {
    let ours = codes(shop, "price_lists");
    let mut rows = "base = \"list\"\n".to_string();
    for list in theirs.iter().filter(|list| list.code != "list") {
        let group = format!("group:{}", list.code);
        if ours.iter().any(|list| list.code == group) {
            rows.push_str(&format!("{} = {}\n", quoted(&group), quoted(&list.code)));
        }
    }
    rows
}

/// The first ERP tax of this rate, and how many there are.
fn of_rate<'a>(taxes: &[&'a Choice], percent: Decimal) -> (Option<&'a Choice>, usize) {
    let same: Vec<&&Choice> = taxes.iter().filter(|tax| rate(tax) == Some(percent)).collect();
    (same.first().map(|tax| **tax), same.len())
}

fn rate(tax: &Choice) -> Option<Decimal> {
    tax.hint.parse::<Decimal>().ok().map(|rate| rate.normalize())
}

/// The shops' tax codes and plain rates, each with the ERP's tax of the same rate.
fn taxes(text: &mut String, notes: &mut Vec<String>, shops: &[(&str, Probe)], erp: &Probe) {
    let there = codes(erp, "taxes");
    text.push_str(&format!("\n[flows.orders.taxes]{REMARK}the shop's code or plain rate = the ERP's tax\n"));
    text.push_str("# \"untaxed:business:*\" = \"…\"  # where sales without tax need one in the ERP: by buyer and country, README\n");
    let mut told = BTreeSet::new();
    for tax in shops.iter().flat_map(|(_, shop)| codes(shop, "taxes")) {
        let Some(percent) = rate(tax).filter(|_| told.insert(tax.code.clone())) else { continue };
        match of_rate(&there, percent) {
            (Some(found), _) => text.push_str(&format!("{} = {}\n", quoted(&tax.code), quoted(&found.code))),
            (None, _) => {
                let note = format!("the ERP has no tax of {percent} % for the shop's `{}`", remark(&tax.code));
                text.push_str(&format!("# {} = \"…\"  # {note}\n", remark(&quoted(&tax.code))));
                notes.push(note);
            }
        }
    }
    let mut rates: Vec<Decimal> = there.iter().filter_map(|tax| rate(tax)).collect();
    rates.sort_unstable();
    rates.dedup();
    for percent in rates.into_iter().rev() {
        let (Some(found), several) = of_rate(&there, percent) else { continue };
        let code = format!("{percent}%");
        if told.insert(code.clone()) {
            text.push_str(&format!("{} = {}\n", quoted(&code), quoted(&found.code)));
        }
        if several > 1 {
            notes.push(format!(
                "the ERP has {several} taxes of {percent} %; `{}` was taken: check the taxes",
                remark(&found.code)
            ));
        }
    }
}

/// The shops' groups of customers, each with the ERP's price list of that name; switched off.
fn groups(text: &mut String, shops: &[(&str, Probe)], erp: &Probe) {
    let lists: Vec<&Choice> = codes(erp, "price_lists").into_iter().filter(|list| list.code != "list").collect();
    let all = shops.iter().flat_map(|(_, shop)| codes(shop, "customer_groups"));
    let known: BTreeSet<&str> = all.filter(|group| group.code != "0").map(|group| group.title.as_str()).collect();
    if lists.is_empty() || known.is_empty() {
        return;
    }
    let head = "the shop's group = the ERP's price list, nothing for none; take off the # to carry groups";
    text.push_str(&format!("\n# [flows.customers.groups]{REMARK}{head}\n"));
    for group in known {
        let list = lists.iter().find(|list| list.title.to_lowercase() == group.to_lowercase());
        let list = list.map_or_else(|| "\"\"".to_string(), |list| quoted(&list.title));
        text.push_str(&format!("# {} = {}\n", remark(&quoted(group)), remark(&list)));
    }
}

/// Every payment method on one payment term: the immediate one, else the first.
fn payments(text: &mut String, notes: &mut Vec<String>, erp: &Probe) {
    let terms = codes(erp, "payment_terms");
    text.push_str(&format!("\n[flows.orders.payment_methods]{REMARK}the shop's method = the ERP's payment term\n"));
    let chosen = terms.iter().find(|term| term.code.to_lowercase().contains("immediate")).or(terms.first());
    match chosen {
        Some(term) => text.push_str(&format!("\"*\" = {}\n", quoted(&term.code))),
        None => {
            text.push_str("# \"*\" = \"…\"\n");
            notes.push(
                "the ERP has no payment term: orders will be held until there is one and a row for it".to_string(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_written_as_toml_reads_them() {
        assert_eq!(quoted("a \"b\" \\ c"), r#""a \"b\" \\ c""#);
        assert_eq!(quoted("a\tb"), "\"a\\u0009b\"");
    }
}
