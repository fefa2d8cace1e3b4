//! Records as a whole: with every field they come back from their leaves, and what is of another sort is refused.

use super::*;
use crate::id::RemoteId;
use crate::leaf::{Leaf, Ref, Value};
use crate::money::Money;
use crate::path::Path;
use crate::rules::Branch;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;

fn some(text: &str) -> Option<String> {
    Some(text.to_string())
}

fn euros(cents: i64) -> Option<Money> {
    Some(Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap()))
}

fn to(kind: Kind, id: &str) -> Option<Ref> {
    Some(Ref::remote(kind, RemoteId::new("", id)))
}

/// An order with a word in every field.
fn order() -> Order {
    let number = |count: i64| Some(Decimal::from(count));
    let taxes: Tax = [("DE-19".to_string(), Decimal::from(19))].into();
    let line = Line {
        parent: some("6"),
        form: Some(LineForm::Virtual),
        sku: some("MUG"),
        name: some("Mug"),
        variant: to(Kind::Variant, "MUG"),
        quantity: number(9),
        had: Had { shipped: number(1), invoiced: number(2), refunded: number(3), cancelled: number(4) },
        net: euros(1),
        discount: euros(2),
        tax: euros(3),
        taxes: taxes.clone(),
    };
    let charge = Charge { title: some("Post"), net: euros(4), tax: euros(5), taxes };
    Order {
        number: some("number"),
        reference: some("reference"),
        life: Some(OrderLife::Held),
        stage: some("stage"),
        fixed: some("fixed"),
        in_hand: some("in hand"),
        left: some("left"),
        in_force: some("in force"),
        cart: some("cart"),
        placed: Timestamp::from_second(1).ok(),
        day: Some(date(2026, 11, 1)),
        currency: "EUR".parse().ok(),
        customer: to(Kind::Customer, "1"),
        billing: to(Kind::Customer, "2"),
        shipping: to(Kind::Customer, "3"),
        sold_to: SoldTo { country: some("CH"), region: some("ZH"), business: Some(true) },
        branch: Branch { company: some("company"), web_shop: some("web shop"), warehouse: some("warehouse") },
        payment: Payment { method: some("method"), authorised: Some(false), captured: euros(6), po_number: some("PO") },
        // In the order of the document, whatever their keys.
        lines: [("7".to_string(), line.clone()), ("6".to_string(), Line { parent: None, ..line })]
            .into_iter()
            .collect(),
        charges: [("shipping".to_string(), charge)].into(),
        totals: Totals { grand: euros(7), tax: euros(8) },
    }
}

fn paper() -> Paper {
    let line = PaperLine { quantity: Some(Decimal::TWO), net: euros(1), tax: euros(2), sku: some("MUG") };
    Paper {
        number: some("number"),
        life: Some(PaperLife::Done),
        order: to(Kind::Order, "1"),
        day: Some(date(2026, 11, 1)),
        place: some("place"),
        currency: "EUR".parse().ok(),
        lines: [("7".to_string(), line)].into(),
        charges: euros(3).map(|net| ("shipping".to_string(), net)).into_iter().collect(),
        tracks: [("1Z".to_string(), Track { carrier: some("dhl"), title: some("DHL") })].into(),
        grand: euros(4),
        owed: euros(5),
        method: some("method"),
    }
}

fn changed() -> Changed {
    Changed { at: Timestamp::from_second(2).ok(), by: some("Ann") }
}

fn texts() -> BTreeMap<String, Texts> {
    [("de".to_string(), Texts { name: some("Becher"), description: some("gebrannt") })].into()
}

fn address() -> Address {
    Address {
        name: some("Zoë"),
        company: some("ACME"),
        street: some("Am Markt 1"),
        postcode: some("53111"),
        city: some("Bonn"),
        country: some("DE"),
        region: some("NW"),
        phone: some("0228"),
    }
}

fn product() -> Product {
    Product {
        key: some("CUPS"),
        form: some("configurable"),
        active: Some(true),
        serial: some("9"),
        options: ["size".to_string()].into(),
        variants: to(Kind::Variant, "MUG").map(|mug| ("MUG".to_string(), mug)).into_iter().collect(),
        texts: texts(),
        changed: changed(),
    }
}

/// A record of each kind with a word in every field.
fn full() -> Vec<(Kind, Record)> {
    let customer = Customer {
        name: some("Zoë"),
        email: some("zoe@example.org"),
        tax_id: some("DE1"),
        phone: some("0228"),
        group: some("gold"),
        code: some("7"),
        active: Some(false),
        replaced_by: to(Kind::Customer, "8"),
        addresses: [("3f9a".to_string(), address())].into(),
    };
    let part = Part { variant: Ref::remote(Kind::Variant, RemoteId::new("", "CUP")), quantity: Decimal::TWO };
    let variant = Variant {
        sku: some("MUG"),
        form: some("kit"),
        active: Some(true),
        serial: some("9"),
        family: some("CUPS"),
        weight: Some(Decimal::ONE),
        composition: Some(Composition::Fixed([("CUP".to_string(), part)].into())),
        texts: texts(),
        changed: changed(),
        ..Variant::default()
    };
    let level = Level { on_hand: Some(Decimal::ONE), available: Some(Decimal::TWO), counted: Some(false) };
    let stock = Stock {
        variant: to(Kind::Variant, "MUG"),
        managed: Some(true),
        salable: Some(Decimal::ONE),
        reserved: Some(Decimal::TWO),
        levels: [("main".to_string(), level)].into(),
    };
    let row = PriceRow { amount: euros(1).unwrap(), until: Some(date(2026, 12, 31)) };
    let price = Price {
        variant: to(Kind::Variant, "MUG"),
        lists: ["base".to_string()].into(),
        rows: [(PriceKey::plain("base"), row)].into(),
    };
    let category = Category { parent: Some(Parent::Top), active: Some(true), texts: texts(), changed: changed() };
    Vec::from([
        (Kind::Order, Record::Order(Box::new(order()))),
        (Kind::Customer, Record::Customer(customer)),
        (Kind::Category, Record::Category(category)),
        (Kind::Product, Record::Product(product())),
        (Kind::Variant, Record::Variant(variant)),
        (Kind::Stock, Record::Stock(stock)),
        (Kind::Price, Record::Price(price)),
        (Kind::Shipment, Record::Shipment(Box::new(paper()))),
        (Kind::Invoice, Record::Invoice(Box::new(paper()))),
        (Kind::Payment, Record::Payment(Box::new(paper()))),
        (Kind::Credit, Record::Credit(Box::new(paper()))),
    ])
}

#[test]
fn a_record_of_any_kind_comes_back_with_every_field_it_has() {
    for (kind, record) in full() {
        let leaves = record.to_leaves();
        assert_eq!(Record::from_leaves(kind, &leaves).as_ref(), Ok(&record), "{kind}");
        assert_eq!(record.paper().is_some(), kind.is_paper(), "{kind}");
        let paper = record.paper();
        assert!(paper.is_none_or(|one| *one == self::paper()), "{kind}");
    }
}

#[test]
fn what_a_record_does_not_know_or_is_of_another_sort_is_refused_with_its_path() {
    for (kind, record) in full() {
        let leaves = record.to_leaves();
        let mut strange = leaves.clone();
        strange.put(Path::field("loyalty"), Value::Bool(true));
        assert_eq!(Record::from_leaves(kind, &strange), Err(Malformed::Unknown(Path::field("loyalty"))), "{kind}");
        for (path, _) in leaves.iter() {
            let mut other = leaves.clone();
            // No field of any record is a moment and a day at once.
            let sort = match leaves.value(path) {
                Some(Value::Instant(_)) => Value::Day(date(2026, 1, 1)),
                _ => Value::Instant(Timestamp::UNIX_EPOCH),
            };
            other.put(path.clone(), sort);
            // That a list is told whole is said by the field being there, and so was an address by earlier versions.
            let whole = ["categories", "gallery", "addresses[3f9a]"].contains(&path.as_str());
            assert_eq!(Record::from_leaves(kind, &other).is_err(), !whole, "{kind} {path}");
        }
    }
}

#[test]
fn every_word_of_a_life_and_of_a_form_comes_back() {
    let lives = ["open", "held", "pending", "cancelled", "done", "closed"];
    for word in lives {
        let leaves = core::iter::once((Path::field("life"), Some(Value::Code(word.to_string())))).collect();
        assert_eq!(Order::from_leaves(&leaves).unwrap().life.map(OrderLife::word), Some(word));
    }
    for word in ["open", "done", "paid", "void"] {
        let leaves = core::iter::once((Path::field("life"), Some(Value::Code(word.to_string())))).collect();
        assert_eq!(Paper::from_leaves(&leaves).unwrap().life.map(PaperLife::word), Some(word));
    }
    for word in ["simple", "virtual", "configurable", "bundle", "comment"] {
        let path = Path::element("lines", "7").dot("form");
        let leaves = core::iter::once((path, Some(Value::Code(word.to_string())))).collect();
        let order = Order::from_leaves(&leaves).unwrap();
        assert_eq!(order.lines.get("7").and_then(|line| line.form).map(LineForm::word), Some(word));
    }
}

#[test]
fn an_order_is_withdrawn_by_its_own_word_or_line_by_line_and_never_by_being_closed() {
    let of = |life, lines: &[(Option<i64>, Option<i64>)]| {
        let line = |(quantity, cancelled): &(Option<i64>, Option<i64>)| {
            let [quantity, cancelled] = [quantity, cancelled].map(|count| count.map(Decimal::from));
            Line { quantity, had: Had { cancelled, ..Had::default() }, ..Line::default() }
        };
        let lines = lines.iter().enumerate().map(|(at, one)| (at.to_string(), line(one))).collect();
        Order { life, lines, ..Order::default() }.is_withdrawn()
    };
    let open = Some(OrderLife::Open);
    for (life, lines, gone) in [
        (Some(OrderLife::Cancelled), &[(Some(3), None)][..], true),
        (Some(OrderLife::Cancelled), &[], true),
        (Some(OrderLife::Closed), &[(Some(3), None)], false),
        (open, &[], false),
        (open, &[(Some(3), Some(3))], true),
        (open, &[(Some(3), Some(4))], true),
        (open, &[(Some(3), Some(2))], false),
        (open, &[(Some(3), None)], false),
        (open, &[(None, None)], false),
        (open, &[(Some(3), Some(3)), (Some(1), Some(0))], false),
        (open, &[(Some(3), Some(3)), (Some(1), Some(1))], true),
    ] {
        assert_eq!(of(life, lines), gone, "{life:?} {lines:?}");
    }
}

#[test]
fn of_a_line_is_wanted_what_was_not_cancelled_and_stock_is_taken_by_no_comment() {
    let line = |quantity: Option<i64>, cancelled: i64| Line {
        variant: to(Kind::Variant, "MUG"),
        quantity: quantity.map(Decimal::from),
        had: Had { cancelled: Some(cancelled.into()), ..Had::default() },
        ..Line::default()
    };
    let wanted = |quantity, cancelled: i64| Order::wanted(&line(quantity, cancelled)).map(|left| left.to_string());
    let left = [wanted(Some(3), 0), wanted(Some(3), 2), wanted(Some(3), 5), wanted(Some(3), -1), wanted(None, 1)];
    assert_eq!(left, [some("3"), some("1"), some("0"), some("3"), None]);
    let comment = Line { form: Some(LineForm::Comment), ..line(Some(3), 0) };
    let order =
        |life| Order { life, lines: [("1".to_string(), comment.clone())].into_iter().collect(), ..Order::default() };
    assert!(order(Some(OrderLife::Open)).commits().is_empty());
    let money = |net: Option<Money>, tax: Option<Money>| Line { net, tax, ..Line::default() }.carries_money();
    assert_eq!([money(None, None), money(euros(0), euros(0))], [false, false]);
    assert_eq!([money(euros(1), None), money(None, euros(1)), money(euros(-1), euros(0))], [true, true, true]);
}

#[test]
fn an_invoice_asks_for_charges_alone_where_it_is_in_force_has_money_and_no_goods() {
    let of = |life, grand: Option<i64>, quantity: Option<i64>| {
        let line = PaperLine { quantity: quantity.map(Decimal::from), ..PaperLine::default() };
        let lines = [("7".to_string(), line)].into();
        Paper { life: Some(life), grand: grand.and_then(euros), lines, ..Paper::default() }.asks_for_charges_alone()
    };
    for (life, grand, quantity, alone) in [
        (PaperLife::Done, Some(500), None, true),
        (PaperLife::Paid, Some(500), Some(0), true),
        (PaperLife::Done, Some(500), Some(1), false),
        (PaperLife::Done, Some(0), None, false),
        (PaperLife::Done, None, None, false),
        (PaperLife::Open, Some(500), None, false),
        (PaperLife::Void, Some(500), None, false),
    ] {
        assert_eq!(of(life, grand, quantity), alone, "{life:?} {grand:?} {quantity:?}");
    }
    let track = Paper::track_path("1Z");
    assert_eq!([Paper::track_of(&track.dot("title")), Paper::track_of(&Paper::order_path())], [some("1Z"), None]);
}

#[test]
fn a_category_goes_by_its_first_name_and_an_address_of_a_book_by_its_id() {
    let named = |names: &[(&str, &str)]| {
        let texts = names
            .iter()
            .map(|(locale, name)| ((*locale).to_string(), Texts { name: some(name), description: some("cups") }));
        Category { texts: texts.collect(), ..Category::default() }.name().map(ToString::to_string)
    };
    assert_eq!(
        [named(&[("de", "Becher"), ("en", "Cups")]), named(&[("de", ""), ("en", "Cups")])],
        [some("Becher"), some("Cups")]
    );
    assert_eq!([named(&[("de", "")]), named(&[])], [None, None]);
    let key = Customer::book_key("12");
    assert_eq!((Customer::id_in_book(&key), Customer::id_in_book("3f9a")), (Some("12"), None));
}

#[test]
fn addresses_have_one_key_where_they_say_the_same_and_print_a_company_before_its_person() {
    let spaced = Address { city: some(" BONN "), ..address() };
    assert_eq!((address().key(), address().key().len()), (spaced.key(), 10));
    assert_ne!(address().key(), Address { city: some("Ulm"), ..address() }.key());
    let printed = |company: Option<&str>, name: Option<&str>| {
        let [company, name] = [company, name].map(|text| text.map(ToString::to_string));
        Address { company, name, ..Address::default() }.printed()
    };
    assert_eq!(printed(Some("ACME"), Some("Zoë")), (some("ACME"), some("Zoë")));
    assert_eq!(
        [printed(Some(" "), Some("Zoë")), printed(None, Some("Zoë"))],
        [(some("Zoë"), None), (some("Zoë"), None)]
    );
    assert_eq!([printed(Some("ACME"), None), printed(None, None)], [(some("ACME"), None), (None, None)]);
    assert_eq!(address().envelope(), ["ACME", "Zoë", "Am Markt 1", "53111", "Bonn, NW", "DE"]);
    assert_eq!(address().to_string(), "ACME, Zoë, Am Markt 1, 53111 Bonn, NW, DE, 0228");
}

#[test]
fn an_image_is_asked_for_where_it_is_told_itself_and_known_by_how_it_begins() {
    let path = Image::path("1f");
    let mut leaves = crate::leaf::Leaves::new();
    leaves.tell(Image::path("2a"), None);
    leaves.put(Image::path("3b").dot("label"), Value::Text("Mug".to_string()));
    leaves.put(path.clone(), Value::Text("image/png, 9 bytes".to_string()));
    let added: Vec<String> = Image::added(&leaves).map(|(key, _)| key).collect();
    assert_eq!(added, ["1f"]);
    assert_eq!(Image::at(&path.dot("label")), Some(("1f".to_string(), "label")));
    for (bytes, media) in
        [(&b"GIF87a"[..], "image/gif"), (b"GIF88a", ""), (&[0xff, 0xd8, 0xff], "image/jpeg"), (b"BM", "")]
    {
        assert_eq!(Sort::of(bytes).media, media, "{bytes:?}");
    }
}

#[test]
fn a_text_or_an_attribute_stands_under_a_plain_word() {
    assert_eq!(Variant::text_path("de", "name").map(String::from), some("texts.de.name"));
    assert_eq!(Variant::text_path("d e", "name"), None);
    let text = |path: &str| Variant::text_of(&Path::try_from(path.to_string()).unwrap()).is_some();
    assert_eq!(
        ["texts.de.name", "texts.de.description", "texts.de.title", "texts.de", "names.de.name"].map(text),
        [true, true, false, false, false]
    );
    let attribute = |code| Variant::attribute_path(code).map(String::from);
    assert_eq!(attribute("size"), some("attributes.size"));
    assert_eq!(["", "a.b", "a[1]", "*", "a b"].map(attribute), [const { None }; 5]);
    let category = Variant::category_path("4");
    assert_eq!([Variant::category_of(&category), Variant::category_of(&category.dot("name"))], [some("4"), None]);
    let empty = Variant { weight: Some(Decimal::ZERO), ..Variant::default() };
    let leaves = Record::Variant(empty.clone()).to_leaves();
    assert_eq!(leaves.get(&Path::field("weight")), Leaf::Empty, "no weight is told as nothing");
    assert_eq!(Variant::from_leaves(&leaves), Ok(empty));
}

#[test]
fn a_price_is_known_by_its_list_quantity_and_first_day() {
    let key = PriceKey { list: "A|B".to_string(), quantity: Decimal::new(100, 1), from: Some(date(2026, 11, 1)) };
    assert_eq!((key.to_string(), key.to_string().parse()), ("10|2026-11-01|A|B".to_string(), Ok(key.clone())));
    assert_eq!(
        (PriceKey::of(&key.path().dot("until")), PriceKey::of(&Path::field("variant"))),
        (Some(key.clone()), None)
    );
    for bad in ["", "10", "10|2026-11-01", "x||A", "10|yesterday|A"] {
        assert_eq!(bad.parse::<PriceKey>(), Err(()), "{bad}");
    }
    let mut leaves = crate::leaf::Leaves::new();
    leaves.put(key.path().dot("until"), Value::Day(date(2026, 12, 31)));
    assert!(Price::from_leaves(&leaves).is_err(), "a last day of no price");
    leaves.tell(key.path().dot("until"), None);
    leaves.tell(key.path(), None);
    assert_eq!(Price::from_leaves(&leaves), Ok(Price::default()), "told as nothing");
}

#[test]
fn a_heading_is_not_sold_and_the_member_of_a_family_is_sold_once() {
    let line = |form: Option<LineForm>, parent: Option<&str>, cents: Option<i64>| Line {
        form,
        parent: parent.and_then(some),
        net: cents.and_then(euros),
        ..Line::default()
    };
    let lines = [
        ("plain", line(None, None, None)),
        ("family", line(Some(LineForm::Configurable), None, Some(100))),
        ("member", line(Some(LineForm::Simple), Some("family"), Some(0))),
        ("set", line(Some(LineForm::Bundle), None, Some(0))),
        ("part", line(Some(LineForm::Simple), Some("set"), Some(100))),
        ("set sold as one", line(Some(LineForm::Bundle), None, Some(100))),
        ("comment", line(Some(LineForm::Comment), None, Some(100))),
        ("orphan", line(Some(LineForm::Simple), Some("nobody"), None)),
        ("download", line(Some(LineForm::Virtual), None, None)),
    ];
    let lines = lines.into_iter().map(|(key, line)| (key.to_string(), line)).collect();
    let order = Order { lines, ..Order::default() };
    let sold: Vec<&str> = order.sold_lines().map(|(key, _)| key.as_str()).collect();
    assert_eq!(sold, ["plain", "family", "part", "set sold as one", "orphan", "download"]);
}

#[test]
fn lines_stand_in_the_order_of_their_document_whatever_their_keys() {
    let mut lines = Lines::default();
    assert!(lines.is_empty());
    for key in ["9", "1", "5"] {
        lines.insert(key.to_string(), Line { sku: some(key), ..Line::default() });
    }
    let told = |lines: &Lines| lines.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    assert_eq!((told(&lines), lines.len(), lines.is_empty()), (["9", "1", "5"].map(String::from).to_vec(), 3, false));
    lines.iter_mut().for_each(|(_, line)| line.name = line.sku.take());
    assert_eq!(lines.get("1").map(|line| (&line.sku, &line.name)), Some((&None, &some("1"))));
    lines.retain(|key, _| key != "1");
    assert_eq!((told(&lines), lines.get("1")), (["9", "5"].map(String::from).to_vec(), None));
}

#[test]
fn an_image_of_more_than_eight_mebibytes_is_not_carried() {
    assert_eq!(IMAGE_LIMIT, 8_388_608);
}
