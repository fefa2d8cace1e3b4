//! What a shop's figures mean: which source counts for whom, and what is kept back from sale. Pure.

use super::wire;
use crate::wire::Exact;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::money;
use syncline_core::record::{Level, Stock};

/// Decimals a quantity keeps (`inventory_source_item.quantity` is a `DECIMAL(12,4)`).
pub(super) const SCALE: u32 = 4;
/// The first quantity that column does not keep any more.
pub(super) const TOO_MUCH: u64 = 100_000_000;
/// The stock every shop begins with; the source `default` belongs to it alone (recorded: stock-source-links).
const DEFAULT_STOCK: u64 = 1;
pub(super) const DEFAULT_SOURCE: &str = "default";

/// One stock that a website sells from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pool {
    pub(super) id: u64,
    /// Codes of the enabled sources it takes in.
    pub(super) sources: BTreeSet<String>,
}

/// How a shop's places are set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    known: BTreeSet<String>,
    /// Stocks with a website, or with the one that is looked at; one without sells to nobody.
    pub(super) pools: Vec<Pool>,
}

impl Facts {
    /// The facts out of the three lists; of the one website of code `site`, where that is all that is looked at.
    pub(super) fn new(
        sources: &[wire::Source],
        stocks: &[wire::StockPool],
        links: &[wire::StockLink],
        site: Option<&str>,
    ) -> Self {
        let enabled = |code: &str| {
            sources.iter().any(|source| source.source_code.0 == code && source.enabled.is_none_or(|flag| flag.0))
        };
        let pool = |stock: &wire::StockPool| {
            let linked = links.iter().filter(|link| link.stock_id == stock.stock_id).map(|link| &link.source_code.0);
            let mut codes: BTreeSet<String> = linked.cloned().collect();
            if stock.stock_id.0 == DEFAULT_STOCK {
                codes.insert(DEFAULT_SOURCE.to_owned());
            }
            codes.retain(|code| enabled(code));
            Pool { id: stock.stock_id.0, sources: codes }
        };
        Self {
            known: sources.iter().map(|source| source.source_code.0.clone()).collect(),
            pools: stocks.iter().filter(|stock| sells(stock, site)).map(pool).collect(),
        }
    }

    /// Whether the source was there when the facts were read.
    pub(super) fn knows(&self, source: &str) -> bool {
        self.known.contains(source)
    }

    /// Whether a website sells from the source.
    pub(super) fn counts(&self, source: &str) -> bool {
        self.pools.iter().any(|pool| pool.sources.contains(source))
    }

    /// The stocks whose sources have any of these rows.
    pub(super) fn concerned<'f>(&'f self, rows: &'f [Row]) -> impl Iterator<Item = &'f Pool> {
        self.pools.iter().filter(|pool| rows.iter().any(|row| pool.sources.contains(&row.source)))
    }
}

fn sells(stock: &wire::StockPool, site: Option<&str>) -> bool {
    let mut channels = stock.extension_attributes.0.sales_channels.iter().flatten();
    let told = |text: &Option<wire::Text>, wanted: &str| text.as_ref().is_some_and(|text| text.0 == wanted);
    channels.any(|channel| told(&channel.kind, "website") && site.is_none_or(|site| told(&channel.code, site)))
}

/// The quantity of a product at a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) source: String,
    pub(super) quantity: Decimal,
    in_stock: bool,
}

impl Row {
    pub(super) fn of(told: &wire::SourceItem) -> Self {
        Self {
            source: told.source_code.0.clone(),
            quantity: told.quantity.map_or(Decimal::ZERO, settled),
            in_stock: told.status.is_none_or(|status| status.0),
        }
    }

    /// What of it counts: a source item that is out of stock adds nothing, whatever its quantity.
    fn counts(&self) -> Decimal {
        if self.in_stock { self.quantity } else { Decimal::ZERO }
    }
}

/// A quantity, float artefacts taken off.
pub(super) fn settled(told: Exact) -> Decimal {
    money::settled(told.0, SCALE)
}

/// What a buyer can still buy of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Salable {
    /// Per stock that is concerned, by its id.
    Told(BTreeMap<u64, Decimal>),
    /// Not asked, or the shop cannot be asked.
    Untold,
    /// No quantity of its own is kept: what can be bought follows from what it is made of.
    Uncounted,
}

/// The stock of one product. `reserved` is what the stocks hold back: their counted quantities less what they sell.
/// With one stock `salable` is what it answers; where several share a source, nothing is counted twice.
pub(super) fn record(sku: &str, rows: &[Row], facts: &Facts, salable: &Salable) -> Stock {
    let counted = |pool: &Pool| -> Decimal {
        rows.iter().filter(|row| pool.sources.contains(&row.source)).map(Row::counts).sum()
    };
    let reserved = match salable {
        Salable::Told(told) => {
            let held = |pool: &Pool| told.get(&pool.id).map_or(Decimal::ZERO, |salable| counted(pool) - salable);
            (!facts.pools.is_empty()).then(|| facts.pools.iter().map(held).sum::<Decimal>())
        }
        Salable::Untold | Salable::Uncounted => None,
    };
    let all: Decimal = rows.iter().filter(|row| facts.counts(&row.source)).map(Row::counts).sum();
    let level = |row: &Row| {
        // At nothing it makes no difference, and the place is one that counts as soon as there is something.
        let counted = facts.counts(&row.source) && (row.in_stock || row.quantity.is_zero());
        (row.source.clone(), Level { on_hand: Some(row.quantity), available: None, counted: Some(counted) })
    };
    Stock {
        variant: Some(Ref::remote(Kind::Variant, RemoteId::new("", sku))),
        managed: Some(*salable != Salable::Uncounted),
        salable: reserved.map(|reserved| all - reserved),
        reserved,
        levels: rows.iter().map(level).collect(),
    }
}

/// Whether the shop keeps quantities of such products (`inventory` allows source items for these and no others).
pub(super) fn is_counted(kind: Option<&wire::Text>) -> bool {
    !matches!(kind.map(|text| text.0.as_str()), Some("configurable" | "bundle" | "grouped"))
}
