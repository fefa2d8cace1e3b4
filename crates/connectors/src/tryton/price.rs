//! Prices: the list price and what Tryton itself computes for every price list, of many products at once.

use super::read::{LONG_PAGE, PAGE, ascending, id_of, typed};
use super::setup::Setup;
use super::wire_price::{AskedRow, LIST_FIELDS, ListRow, PricedRow, STEP_FIELDS, StepRow};
use super::{Tryton, map};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Error, Result, Snapshot};
use syncline_core::kind::Kind;
use syncline_core::money::Currency;
use syncline_core::policy::ErrorKind;

/// What the price lists say: by list and product, from how many pieces on, what. A product for which Tryton cannot
/// compute a list is not in it.
type Asked = BTreeMap<(i64, i64), map::Steps>;

/// One question to a price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    list: i64,
    /// The unit the price and the quantity are for: the one that is sold.
    unit: i64,
    quantity: Decimal,
}

impl Tryton {
    /// The price lists that are told, and why others are not.
    pub(super) async fn price_lists(&self, ctx: &Ctx, setup: &Setup) -> Result<(Vec<map::PriceList>, Vec<String>)> {
        if !setup.has_price_lists() {
            return Ok((Vec::new(), Vec::new()));
        }
        if setup.own_company != Some(setup.company) {
            let message = format!(
                "Tryton computes price lists for the user's own company only: make `{}` the company of the user",
                setup.company_name
            );
            return Ok((Vec::new(), vec![message]));
        }
        let domain = json!([["company", "=", setup.company]]);
        let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], LIST_FIELDS, setup.context()]);
        let rows: Vec<ListRow> = self.client.read(ctx, "model.product.price_list.search_read", params).await?;
        Ok(map::offered(rows))
    }

    /// The prices of the products `ids`, by id; those that are not there are left out.
    pub(super) async fn prices(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, Result<Snapshot>>> {
        let once: Vec<i64> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        if once.is_empty() {
            return Ok(BTreeMap::new());
        }
        let Some(currency) = setup.currency else {
            let message = format!("the currency of `{}` cannot be read: prices have none", setup.company_name);
            return Err(Error::new(ErrorKind::Config, message));
        };
        let (lists, _) = self.price_lists(ctx, setup).await?;
        let mut found = BTreeMap::new();
        for some in once.chunks(PAGE) {
            let rows = self.rows(ctx, setup, Kind::Price, some).await?;
            let read: Vec<Result<PricedRow>> = rows.iter().map(|row| typed(row, "price of product")).collect();
            let good: Vec<&PricedRow> = read.iter().filter_map(|row| row.as_ref().ok()).collect();
            let asked = self.asked(ctx, setup, &lists, &good).await?;
            for (row, read) in rows.iter().zip(read) {
                found.insert(id_of(row)?, self.priced(row, read, currency, (&lists, &asked)));
            }
        }
        Ok(found)
    }

    fn priced<'a>(
        &self,
        row: &Value,
        read: Result<PricedRow>,
        currency: Currency,
        (lists, asked): (&'a [map::PriceList], &Asked),
    ) -> Result<Snapshot> {
        let read = match read {
            Ok(read) => read,
            Err(error) => return Err(error.with(self.evidence(Kind::Price, row)?)),
        };
        let said = |list: &'a map::PriceList| Some((list, asked.get(&(list.id, read.id))?.clone()));
        let told: Vec<(&map::PriceList, map::Steps)> = lists.iter().filter_map(said).collect();
        let shown: Vec<Value> = told.iter().map(|(list, steps)| json!({"list": list.name, "prices": steps})).collect();
        let evidence = self.evidence(Kind::Price, &json!([row, shown]))?;
        let id = map::remote(read.id);
        let record = map::price_record(&read, currency, &told).ok_or_else(|| {
            let message = format!("the units of product {id} cannot be compared: give both a factor in Tryton");
            Error::new(ErrorKind::Invalid, message).with(evidence.clone())
        })?;
        let records = vec![(id.clone(), record)];
        // A product's version does not move with its price lists.
        Ok(Snapshot { id, mark: None, found_by: None, version: None, records, evidence: Some(evidence) })
    }

    /// What every list says of every product, for one piece and wherever another line may count.
    async fn asked(&self, ctx: &Ctx, setup: &Setup, lists: &[map::PriceList], rows: &[&PricedRow]) -> Result<Asked> {
        let steps = self.steps(ctx, setup, lists, rows).await?;
        let mut questions: BTreeMap<Question, Vec<i64>> = BTreeMap::new();
        for list in lists {
            for row in rows {
                let (Some(unit), Some(units)) = (row.sale_unit.or(row.default_unit), row.units()) else { continue };
                for quantity in map::thresholds(&steps, list, (row.id, units)) {
                    let question = Question { list: list.id, unit: unit.id, quantity };
                    questions.entry(question).or_default().push(row.id);
                }
            }
        }
        let (mut asked, mut failed) = (Asked::new(), BTreeSet::new());
        for (question, ids) in questions {
            // From few to many pieces, as the questions are in order.
            for (id, price) in self.answer(ctx, setup, question, &ids).await? {
                match price {
                    Some(price) => asked.entry((question.list, id)).or_default().push((question.quantity, price)),
                    None => drop(failed.insert((question.list, id))),
                }
            }
        }
        asked.retain(|of, _| !failed.contains(of));
        Ok(asked)
    }

    /// Lines of the lists that hold for some of the products, or for all, from a quantity on.
    async fn steps(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        lists: &[map::PriceList],
        rows: &[&PricedRow],
    ) -> Result<Vec<StepRow>> {
        let (mut steps, mut last) = (Vec::new(), 0);
        if lists.is_empty() || rows.is_empty() {
            return Ok(steps);
        }
        let lists: Vec<i64> = lists.iter().map(|list| list.id).collect();
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        loop {
            let domain = json!([
                ["price_list", "in", lists],
                ["quantity", ">", 0],
                ["OR", ["product", "=", null], ["product", "in", ids]],
                ["id", ">", last]
            ]);
            let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], STEP_FIELDS, setup.context()]);
            let found: Vec<Value> = self.client.read(ctx, "model.product.price_list.line.search_read", params).await?;
            last = ascending(&found, last)?;
            for row in &found {
                steps.push(typed(row, "price list line")?);
            }
            if found.len() < LONG_PAGE {
                return Ok(steps);
            }
        }
    }

    /// What the list says of each product; nothing for one whose formula fails. A failing one refuses the whole call,
    /// so that is halved until it stands alone.
    async fn answer(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        question: Question,
        ids: &[i64],
    ) -> Result<Vec<(i64, Option<Option<Decimal>>)>> {
        let mut context = setup.context();
        if let Some(fields) = context.as_object_mut() {
            fields.insert("price_list".to_string(), json!(question.list));
            fields.insert("uom".to_string(), json!(question.unit));
            fields.insert("quantity".to_string(), json!(super::wire::Qty::of(question.quantity)));
        }
        let (mut told, mut waiting) = (Vec::new(), vec![ids]);
        while let Some(some) = waiting.pop() {
            let params = json!([some, ["sale_price_uom"], context]);
            match self.client.read::<Vec<AskedRow>>(ctx, "model.product.product.read", params).await {
                Ok(rows) => told.extend(rows.into_iter().map(|row| (row.id, Some(row.price.map(|price| price.0))))),
                Err(error) if error.kind == ErrorKind::Gone => {
                    let message = "a product or a price list went away while prices were read".to_string();
                    return Err(Error { kind: ErrorKind::Unreachable, message, ..error });
                }
                Err(error) if error.kind == ErrorKind::Invalid => match some {
                    [one] => told.push((*one, None)),
                    several => {
                        let (left, right) = several.split_at(several.len() / 2);
                        waiting.extend([left, right]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }
}
