//! Answers of both systems, read by their connectors as the product reads them: all but one are those of a simulated system.

use super::spoilt::Spoilt;
use super::{records, within};
use crate::ring2::{CARRIED, Shared, SimClock, Which, lent, open, wire};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use syncline_connect::{Connector, Ctx, Cursor, Fut, Lookup, Request, Response, Rng, Transport, TransportError};
use syncline_connectors::{magento, tryton};
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::{KINDS, Kind};
use syncline_core::path::Path;
use syncline_core::record::{IMAGE_LIMIT, Image, paper_below};
use syncline_sim::http::{self, System};

/// Pages of one read that are followed.
const PAGES: usize = 4;
/// True answers that are kept at most: what spoiled ones have asked for is forgotten again.
const KEPT: usize = 4_000;

/// What is asked of a system.
#[derive(Debug, Clone, Copy)]
enum Ask {
    /// What it can do.
    Probe,
    /// What changed.
    Changes(Kind),
    /// Which there are.
    Keys(Kind),
    /// Those there are.
    Read(Kind),
    /// One by what people call it.
    Number(Kind),
    /// Orders by what stands in a field.
    Told(&'static str),
    /// The papers below an order.
    Paper(Kind),
    /// What carries our mark.
    Marked(Kind),
    /// A category by its name.
    Below,
    /// The bytes of an image.
    Content,
}

use Ask::{Below, Changes, Content, Keys, Marked, Number, Paper, Probe, Read, Told};

/// Orders, those who bought, and papers. New ones stand at the end: a kept input names its ask by its place.
const TRADE: [Ask; 25] = [
    Changes(Kind::Order),
    Keys(Kind::Order),
    Read(Kind::Order),
    Number(Kind::Order),
    Told("reference"),
    Marked(Kind::Order),
    Changes(Kind::Customer),
    Keys(Kind::Customer),
    Read(Kind::Customer),
    Marked(Kind::Customer),
    Changes(Kind::Payment),
    Keys(Kind::Payment),
    Read(Kind::Payment),
    Changes(Kind::Credit),
    Keys(Kind::Credit),
    Read(Kind::Credit),
    Paper(Kind::Credit),
    Changes(Kind::Shipment),
    Keys(Kind::Shipment),
    Read(Kind::Shipment),
    Paper(Kind::Shipment),
    Changes(Kind::Invoice),
    Keys(Kind::Invoice),
    Read(Kind::Invoice),
    Paper(Kind::Invoice),
];

/// Goods, and the systems themselves.
const GOODS: [Ask; 19] = [
    Probe,
    Changes(Kind::Variant),
    Keys(Kind::Variant),
    Read(Kind::Variant),
    Number(Kind::Variant),
    Changes(Kind::Product),
    Keys(Kind::Product),
    Read(Kind::Product),
    Number(Kind::Product),
    Changes(Kind::Category),
    Keys(Kind::Category),
    Read(Kind::Category),
    Below,
    Changes(Kind::Stock),
    Read(Kind::Stock),
    Changes(Kind::Price),
    Keys(Kind::Price),
    Read(Kind::Price),
    Content,
];

/// What a shop answers about orders, customers and papers.
pub(super) fn shop_trade(told: &[u8]) {
    asked(Which::Shop, &TRADE, told);
}

/// What it answers about goods and about itself.
pub(super) fn shop_goods(told: &[u8]) {
    asked(Which::Shop, &GOODS, told);
}

/// What an ERP answers about sales, parties and papers.
pub(super) fn erp_trade(told: &[u8]) {
    asked(Which::Erp, &TRADE, told);
}

/// What it answers about goods and about itself.
pub(super) fn erp_goods(told: &[u8]) {
    asked(Which::Erp, &GOODS, told);
}

/// Asks what the first byte says, the others spoil an answer.
fn asked(which: Which, asks: &[Ask], told: &[u8]) {
    let Some((first, rest)) = told.split_first() else { return };
    let at = usize::from(first.wrapping_sub(b'A')) % asks.len();
    let Some(ask) = asks.get(at) else { return };
    let side = side(which);
    within(side.ask(*ask, Spoilt::of(rest)));
}

/// A whole product whose first byte says which system's answers are spoiled.
pub(super) fn pass(told: &[u8]) {
    let Some((first, rest)) = told.split_first() else { return };
    let which = if *first == b'E' { Which::Erp } else { Which::Shop };
    let ended = within(lent::passed(which, Spoilt::of(rest)));
    assert!(ended.is_ok(), "{ended:?}");
}

/// True answers, by what was asked: method and address, and the body.
type Answers = BTreeMap<(String, Vec<u8>), http::Response>;

/// One simulated system with what is known to be in it.
#[derive(Debug)]
struct Side {
    which: Which,
    world: Shared,
    now: Timestamp,
    ids: BTreeMap<Kind, Vec<RemoteId>>,
    image: Option<(RemoteId, Path)>,
    answers: Arc<Mutex<Answers>>,
}

fn side(which: Which) -> &'static Side {
    static SHOP: OnceLock<Side> = OnceLock::new();
    static ERP: OnceLock<Side> = OnceLock::new();
    let place = if which == Which::Erp { &ERP } else { &SHOP };
    place.get_or_init(|| within(Side::new(which)))
}

impl Side {
    #[expect(clippy::panic, reason = "a world that cannot be made is a mistake of the trial, and nothing was tried")]
    async fn new(which: Which) -> Self {
        let stage = match lent::traded(None).await {
            Ok(stage) => stage,
            Err(why) => panic!("no world to ask: {why}"),
        };
        let (world, now) = (Arc::clone(&stage.world), stage.clock.true_now());
        let mut side = Self { which, world, now, ids: BTreeMap::new(), image: None, answers: Arc::default() };
        let (connector, ctx) = (connector(which), side.ctx(Spoilt::of(&[])));
        for kind in KINDS {
            if let Ok(page) = connector.keys(&ctx, kind, &Cursor::default()).await {
                side.ids.insert(kind, page.keys.into_iter().map(|(id, _)| id).collect());
            }
        }
        for kind in [Kind::Shipment, Kind::Invoice, Kind::Credit, Kind::Payment] {
            let below = |id: &RemoteId| ["1", "2"].map(|paper| paper_below(id, paper));
            let of_orders: Vec<RemoteId> = side.some(Kind::Order).iter().flat_map(below).collect();
            side.ids.entry(kind).or_default().extend(of_orders);
        }
        let variants = side.ids.get(&Kind::Variant).cloned().unwrap_or_default();
        for told in connector.read(&ctx, Kind::Variant, &variants).await {
            let Ok(Some(snapshot)) = told else { continue };
            let leaves = snapshot.records.first().map(|(_, record)| record.to_leaves()).unwrap_or_default();
            let image = Image::added(&leaves).next().map(|(_, path)| (snapshot.id.clone(), path.clone()));
            side.image = side.image.or(image);
        }
        side
    }

    /// The first few of a kind.
    fn some(&self, kind: Kind) -> &[RemoteId] {
        let all = self.ids.get(&kind).map(Vec::as_slice).unwrap_or_default();
        all.get(..6).unwrap_or(all)
    }

    fn ctx(&self, spoilt: Spoilt) -> Ctx {
        let (world, answers) = (Arc::clone(&self.world), Arc::clone(&self.answers));
        let road = Road { which: self.which, world, now: self.now, answers, spoilt: Mutex::new(spoilt) };
        Ctx::new(Arc::new(road), Arc::new(SimClock::new(self.now)), Arc::new(Die), 4, Duration::from_secs(30))
    }

    async fn ask(&self, ask: Ask, spoilt: Spoilt) {
        let (own, ctx) = (connector(self.which), self.ctx(spoilt));
        let other = connector(if self.which == Which::Erp { Which::Shop } else { Which::Erp });
        let sides = [own.as_ref(), other.as_ref()];
        match ask {
            Probe => drop(own.probe(&ctx).await.inspect_err(records::refused)),
            Changes(kind) => {
                let mut since = Cursor::default();
                for _ in 0..PAGES {
                    let told = own.changes(&ctx, kind, &since).await.inspect_err(records::refused);
                    let Ok(page) = told else { return };
                    page.seen.iter().for_each(|seen| records::seen(seen, &sides));
                    since = page.next;
                }
            }
            Keys(kind) => {
                let mut after = Cursor::default();
                for _ in 0..PAGES {
                    let Ok(page) = own.keys(&ctx, kind, &after).await.inspect_err(records::refused) else { return };
                    after = page.next;
                }
            }
            Read(kind) => {
                for told in own.read(&ctx, kind, self.some(kind)).await {
                    records::told(&told, &sides);
                }
            }
            Content => {
                let Some((id, path)) = &self.image else { return };
                drop(own.content(&ctx, Kind::Variant, id, path, IMAGE_LIMIT).await.inspect_err(records::refused));
            }
            _ => {
                let Some((kind, by)) = self.lookup(ask) else { return };
                match own.find(&ctx, kind, &by).await {
                    Ok(found) => found.iter().for_each(|snapshot| records::held(snapshot, &sides)),
                    Err(error) => records::refused(&error),
                }
            }
        }
    }

    /// What a search goes by.
    fn lookup(&self, ask: Ask) -> Option<(Kind, Lookup)> {
        let mark = Mark::new("SLAAAAAAAAAAAAAAAA");
        Some(match ask {
            Number(kind) => (kind, Lookup::Number(self.some(kind).first()?.id.clone())),
            Told(field) => {
                let values = ["1".to_owned(), "000000001".to_owned()].to_vec();
                (Kind::Order, Lookup::Told { field: field.to_owned(), values })
            }
            Paper(kind) => (kind, Lookup::Paper { order: self.some(Kind::Order).first()?.clone(), mark }),
            Marked(kind) => (kind, Lookup::AnyMark),
            Below => (Kind::Category, Lookup::Below { parent: None, name: "Tools".to_owned() }),
            _ => return None,
        })
    }
}

/// A connector that has asked nothing yet, with all it can carry.
fn connector(which: Which) -> Box<dyn Connector> {
    if which == Which::Erp {
        let carried = |field: &str| tryton::Carried { source: field.to_owned(), names: BTreeMap::new() };
        Box::new(tryton::Tryton::new(tryton::Config {
            attributes: CARRIED.iter().map(|(code, field)| ((*code).to_owned(), carried(field))).collect(),
            images: true,
            groups: true,
            refunds: true,
            amends: true,
            ..tryton::Config::new("http://erp.example/erp", "sync", "secret")
        }))
    } else {
        let auth = magento::Auth::Token("token".to_owned());
        Box::new(magento::Magento::new(magento::Config {
            attributes: CARRIED.iter().map(|(code, _)| (*code).to_owned()).collect(),
            images: true,
            groups: true,
            papers: true,
            ..magento::Config::new("http://shop.example", auth)
        }))
    }
}

/// Nothing that is read holds anything drawn.
#[derive(Debug)]
pub(super) struct Die;

impl Rng for Die {
    fn draw(&self) -> u128 {
        0
    }
}

/// The way to a simulated system, whose answers to the same question are made once. Only questions go this way.
#[derive(Debug)]
struct Road {
    which: Which,
    world: Shared,
    now: Timestamp,
    answers: Arc<Mutex<Answers>>,
    spoilt: Mutex<Spoilt>,
}

impl Road {
    fn answer(&self, request: Request) -> http::Response {
        let mut asked = wire(request);
        // What is packed cannot be changed in parts.
        asked.headers.retain(|(name, _)| name != "accept-encoding");
        let key = (format!("{} {}", asked.method, asked.target), asked.body.clone());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = answers.get(&key) {
            return known.clone();
        }
        let mut world = open(&self.world);
        let answer = match self.which {
            Which::Erp => world.erp.handle(self.now, &asked),
            _ => world.shop.handle(self.now, &asked),
        };
        if answers.len() < KEPT {
            answers.insert(key, answer.clone());
        }
        answer
    }
}

impl Transport for Road {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        let mut answer = self.answer(request);
        self.spoilt.lock().unwrap_or_else(PoisonError::into_inner).touch(&mut answer);
        let http::Response { status, headers, body } = answer;
        Box::pin(std::future::ready(Ok(Response { status, headers, body })))
    }
}
