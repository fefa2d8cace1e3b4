//! Stock of a shop without sources, as where the modules for them are switched off: one quantity of each product, which
//! the shop itself lowers as soon as something is bought.
//!
//! By Adobe's own API schema (`stockItems`) and the recorded stock item of a product (configurable-get); that a sale lowers
//! `qty` and a cancelled one gives it back is recalled (`CatalogInventory`), not recorded.

use super::client::{Call, Scope};
use super::levels::{self, DEFAULT_SOURCE};
use super::rows::evidence_of;
use super::stock::{figure, fit, folded, found_sku, no_quantity};
use super::wire::{self, StockItem};
use super::{Magento, unsupported};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Ref, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Level, Record, Stock};
use syncline_core::text::shown;

/// What is asked of a product.
const FIELDS: &str = "sku,type_id,extension_attributes[stock_item[item_id,qty,min_qty,is_in_stock,manage_stock]]";

/// A product with its one quantity.
struct Shelf {
    sku: String,
    counted: bool,
    item: StockItem,
    told: Value,
}

impl Shelf {
    /// What a product as told says of its stock.
    fn of(told: Value) -> Result<Self> {
        let broken = |what: &str| {
            Error::new(ErrorKind::Broken, format!("magento: a product {what}")).with(evidence_of("products", &told))
        };
        let sku = found_sku(&told).ok_or_else(|| broken("without a SKU"))?;
        let kind = told.get("type_id").and_then(|kind| wire::typed::<wire::Text>(kind).ok());
        let item = told.pointer("/extension_attributes/stock_item").ok_or_else(|| broken("without a stock item"))?;
        let item: StockItem = wire::typed(item).map_err(|what| broken(&format!("with a stock item that {what}")))?;
        let counted = levels::is_counted(kind.as_ref()) && item.manage_stock.is_none_or(|flag| flag.0);
        Ok(Self { sku, counted, item, told })
    }

    /// Below this a product is sold out.
    fn threshold(&self) -> Decimal {
        self.item.min_qty.map_or(Decimal::ZERO, levels::settled)
    }

    /// What buyers can still buy. Less than nothing is nothing: what is owed to buyers already stays as it is.
    fn free(&self) -> Decimal {
        let quantity = self.item.qty.map_or(Decimal::ZERO, levels::settled);
        let on_sale = self.item.is_in_stock.is_none_or(|flag| flag.0);
        if on_sale { (quantity - self.threshold()).max(Decimal::ZERO) } else { Decimal::ZERO }
    }

    /// What moves whenever anything of it moves.
    fn version(&self) -> String {
        let number =
            |told: Option<crate::wire::Exact>| told.map_or_else(String::new, |told| told.0.normalize().to_string());
        let on_sale = self.item.is_in_stock.map_or("", |flag| if flag.0 { "on" } else { "off" });
        format!("{}/{}/{on_sale}", number(self.item.qty), number(self.item.min_qty))
    }

    fn snapshot(&self) -> Snapshot {
        let level = Level { on_hand: None, available: Some(self.free()), counted: Some(true) };
        let id = RemoteId::new("", &self.sku);
        let record = Stock {
            variant: Some(Ref::remote(Kind::Variant, id.clone())),
            managed: Some(self.counted),
            salable: Some(self.free()),
            reserved: None,
            levels: [(DEFAULT_SOURCE.to_owned(), level)].into(),
        };
        let records = vec![(id.clone(), Record::Stock(record))];
        let evidence = Some(evidence_of("products", &self.told));
        Snapshot { id, version: Some(self.version()), mark: None, found_by: None, records, evidence }
    }
}

impl Magento {
    /// The stock of one product; none where there is no such product.
    pub(super) async fn read_single(&self, ctx: &Ctx, id: &RemoteId) -> Result<Option<Snapshot>> {
        Ok(self.shelf(ctx, &id.id).await?.map(|shelf| shelf.snapshot()))
    }

    async fn shelf(&self, ctx: &Ctx, sku: &str) -> Result<Option<Shelf>> {
        if sku.is_empty() {
            return Ok(None);
        }
        let path = format!("products/{}?fields={FIELDS}", encoded(sku));
        match self.client.get::<Value>(ctx, &path).await {
            Ok(told) if found_sku(&told).is_some_and(|found| folded(&found) != folded(sku)) => Ok(None),
            Ok(told) => Shelf::of(told).map(Some),
            Err(error) if error.kind == ErrorKind::Gone => Ok(None),
            Err(error) if sku.contains('/') && error.kind == ErrorKind::Config => {
                let what =
                    format!("the web server takes no slash in an address, so `{}` cannot be asked for", shown(sku, 80));
                Err(unsupported(&what))
            }
            Err(error) => Err(error),
        }
    }

    /// What became of the permit. The quantity is looked at right before it is set: what was bought since the plan has
    /// lowered it, and setting it would put that up for sale again.
    pub(super) async fn write_single(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let (id, path, body) = match self.ready_to_set(ctx, permit.change()).await {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let call = Call { method: "PUT", scope: Scope::DEFAULT, path: &path };
        if let Err(outcome) = self.send(ctx, call, &permit, &body).await {
            return outcome;
        }
        let error = match self.read_single(ctx, &id).await {
            Ok(Some(snapshot)) => return Outcome::Done(Box::new(snapshot)),
            Ok(None) => Error::new(ErrorKind::Gone, format!("`{}` is not there when read back", shown(&id.id, 80))),
            Err(error) => error,
        };
        Outcome::Unknown { learned: Some(id), error }
    }

    async fn ready_to_set(&self, ctx: &Ctx, change: &Change) -> Result<(RemoteId, String, Value)> {
        let (id, path, free) = wanted(change)?;
        let refused = |kind, what: &str| Error::new(kind, format!("`{}`: {what}", shown(&id.id, 80)));
        let shelf = self.shelf(ctx, &id.id).await?;
        let shelf = shelf.ok_or_else(|| refused(ErrorKind::Gone, "the shop has no product with this SKU"))?;
        if !shelf.counted {
            return Err(refused(ErrorKind::Unsupported, "the shop keeps no quantity of such a product"));
        }
        if change.expect.as_ref().is_some_and(|expect| *expect != shelf.version()) {
            return Err(refused(ErrorKind::Stale, "something was bought a moment ago: it is read once more"));
        }
        let quantity = figure(path, free + shelf.threshold())?;
        let body = json!({"stockItem": {"qty": quantity, "is_in_stock": free > Decimal::ZERO}});
        Ok((id.clone(), format!("products/{}/stockItems/{}", encoded(&shelf.sku), shelf.item.item_id.0), body))
    }
}

/// The product a change is for, the path of its one figure, and what buyers may have.
fn wanted(change: &Change) -> Result<(&RemoteId, &Path, Decimal)> {
    let (Some(id), Step::Update) = (&change.document, &change.step) else {
        return Err(unsupported("of stock only quantities of products that are there are written"));
    };
    let leaves: Vec<_> = change.leaves.iter().collect();
    let [(path, Some(value @ LeafValue::Number(free)))] = leaves.as_slice() else {
        return Err(unsupported("a shop without sources keeps one quantity of a product"));
    };
    let ours = path.within("levels").is_some_and(|(place, field)| place == DEFAULT_SOURCE && field == "available");
    if !ours {
        let what = format!("`{path}`: this shop has no sources, see `syncline systems`");
        return Err(Error::new(ErrorKind::Stale, format!("magento: {what}")));
    }
    if fit(path, value) != Fit::Exact {
        return Err(no_quantity(path, *free));
    }
    Ok((id, path, *free))
}
