//! Stock: the figures of many products at once, warehouse by warehouse, and the feed of what has moved.

use super::read::{
    LONG_PAGE, PAGE, Search, ascending, changed_since, cursor_of, id_of, moment_of, search, typed, walk_of,
    written_since,
};
use super::rest::Tide;
use super::setup::{Setup, Warehouse};
use super::wire::{Day, FIGURE_FIELDS, FigureRow, LATE_FIELDS, LateRow, MovedRow};
use super::{Tryton, map};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Cursor, Error, Evidence, Page, Result, Seen, Snapshot};
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;

/// How often figures are read anew because midnight passed while they were read.
const NIGHTS: usize = 3;

/// What was told of one product: two rows for each warehouse.
#[derive(Debug, Default)]
struct Told {
    rows: Vec<Value>,
}

impl Tryton {
    /// The company's day by Tryton's own clock.
    pub(super) async fn today(&self, ctx: &Ctx, setup: &Setup) -> Result<Date> {
        let Day(day) = self.client.read(ctx, "model.ir.date.today", json!([setup.context()])).await?;
        Ok(day)
    }

    /// The stock of the products `ids`, by id; those that are not there are left out.
    pub(super) async fn stocks(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, Result<Snapshot>>> {
        if setup.own_company != Some(setup.company) {
            let message = format!(
                "Tryton counts stock for the user's own company only: make `{}` the company of the user",
                setup.company_name
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        if setup.warehouses.is_empty() {
            return Err(Error::new(ErrorKind::Config, "there is no warehouse in Tryton: stock has no place"));
        }
        let once: Vec<i64> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut found = BTreeMap::new();
        for some in once.chunks(PAGE) {
            found.append(&mut self.shelves(ctx, setup, some).await?);
        }
        Ok(found)
    }

    /// The stock of a few products, all by the same day: a move planned for a day that has just passed would be neither
    /// late nor forecast.
    async fn shelves(&self, ctx: &Ctx, setup: &Setup, ids: &[i64]) -> Result<BTreeMap<i64, Result<Snapshot>>> {
        let mut day = self.today(ctx, setup).await?;
        for _ in 0..NIGHTS {
            // What is late comes first: should it be planned anew meanwhile, it is counted twice for a moment, never not.
            let late = map::late_by_place(&self.late(ctx, setup, ids, day).await?);
            let mut told: BTreeMap<i64, Told> = BTreeMap::new();
            for warehouse in &setup.warehouses {
                for end in [Some(day), None] {
                    for row in self.figures(ctx, setup, ids, warehouse, end).await? {
                        told.entry(id_of(&row)?).or_default().rows.push(row);
                    }
                }
            }
            let after = self.today(ctx, setup).await?;
            if after == day {
                return Ok(told.into_iter().map(|(id, told)| (id, self.stock(setup, id, &told, &late))).collect());
            }
            day = after;
        }
        Err(Error::new(ErrorKind::Broken, "Tryton tells another day each time it is asked"))
    }

    /// The figures of `ids` in a warehouse, with the forecast up to `end`. Read by id, and only where one is missing,
    /// which refuses the whole read, searched for.
    async fn figures(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        ids: &[i64],
        warehouse: &Warehouse,
        end: Option<Date>,
    ) -> Result<Vec<Value>> {
        let mut context = setup.context();
        if let Some(fields) = context.as_object_mut() {
            fields.insert("locations".to_string(), json!([warehouse.id]));
            fields.insert("with_childs".to_string(), json!(true));
            fields.insert("stock_date_end".to_string(), json!(end.map(Day)));
        }
        let params = json!([ids, FIGURE_FIELDS, context]);
        match self.client.read(ctx, "model.product.product.read", params).await {
            Err(error) if error.kind == ErrorKind::Gone => {
                let domain = json!([["id", "in", ids], ["active", "in", [true, false]]]);
                let params = json!([domain, 0, ids.len(), [["id", "ASC"]], FIGURE_FIELDS, context]);
                let found = self.client.read(ctx, "model.product.product.search_read", params).await;
                match found {
                    Err(error) if error.kind == ErrorKind::Gone => {
                        self.setups.lock().await.clear();
                        let message = format!("warehouse `{}` went away, its stock cannot be read", warehouse.place);
                        Err(Error { kind: ErrorKind::Unreachable, message, ..error })
                    }
                    answer => answer,
                }
            }
            answer => answer,
        }
    }

    /// Moves of `ids` that were planned for a day before `day` and have not happened. Tryton forgets them in every
    /// forecast unless its task that reschedules shipments is set up, which it is not by itself.
    async fn late(&self, ctx: &Ctx, setup: &Setup, ids: &[i64], day: Date) -> Result<Vec<LateRow>> {
        let (mut late, mut last) = (Vec::new(), 0);
        loop {
            let domain = json!([
                ["company", "=", setup.company],
                ["state", "=", "draft"],
                ["planned_date", "<", Day(day)],
                ["product", "in", ids],
                ["id", ">", last]
            ]);
            let rows = self.moves(ctx, setup, domain, &LATE_FIELDS).await?;
            last = ascending(&rows, last)?;
            for row in &rows {
                late.push(typed(row, "move")?);
            }
            if rows.len() < LONG_PAGE {
                return Ok(late);
            }
        }
    }

    /// A long page of moves, by id upwards.
    async fn moves(&self, ctx: &Ctx, setup: &Setup, domain: Value, fields: &[&str]) -> Result<Vec<Value>> {
        let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], fields, setup.context()]);
        self.client.read(ctx, "model.stock.move.search_read", params).await
    }

    fn stock(&self, setup: &Setup, id: i64, told: &Told, late: &BTreeMap<(i64, i64), Decimal>) -> Result<Snapshot> {
        let evidence = Evidence {
            request: format!("{} product.product", self.config.url),
            sent: String::new(),
            status: 200,
            received: Evidence::excerpt(json!(told.rows).to_string().as_bytes()),
        };
        let mut shelves = Vec::new();
        for (warehouse, pair) in setup.warehouses.iter().zip(told.rows.chunks(2)) {
            let [today, ever] = pair else { continue };
            let figures =
                |row: &Value| typed::<FigureRow>(row, "stock of product").map_err(|e| e.with(evidence.clone()));
            let late = late.get(&(id, warehouse.id)).copied().unwrap_or_default();
            shelves.push(map::Shelf {
                place: warehouse.place.clone(),
                today: figures(today)?,
                ever: figures(ever)?,
                late,
            });
        }
        if shelves.len() != setup.warehouses.len() {
            let message = format!("product {id} came or went while its stock was read");
            return Err(Error::new(ErrorKind::Unreachable, message).with(evidence));
        }
        let id = map::remote(id);
        let record = map::stock_record(map::number(&id)?, &shelves).ok_or_else(|| {
            let message = format!("the units of product {id} cannot be compared: give both a factor in Tryton");
            Error::new(ErrorKind::Invalid, message).with(evidence.clone())
        })?;
        let records = vec![(id.clone(), record)];
        Ok(Snapshot { id, mark: None, found_by: None, version: None, records, evidence: Some(evidence) })
    }

    /// Stock that may have changed since `since`: everything once a day, since what is planned falls due or late at
    /// midnight, and between that the products of moves, and products, written since.
    pub(super) async fn stock_changed(&self, ctx: &Ctx, since: &Cursor) -> Result<Page> {
        let mut walk: StockWalk = walk_of(since)?;
        let mut setup = self.setup(ctx).await?;
        if walk.tide.start.is_none() {
            walk.tide.start = Some(ctx.now());
            let today = self.today(ctx, &setup).await?;
            if walk.day != Some(today) {
                setup = self.fresh_setup(ctx).await?;
                if walk.tide.top.is_none() {
                    walk.tide.met_top(self.latest_move(ctx, &setup).await?, ctx.now());
                }
                (walk.day, walk.stage) = (Some(today), Stage::All);
            }
        }
        loop {
            let (ids, full) = self.moved(ctx, &setup, &mut walk).await?;
            let ended = !full && walk.next_stage(ctx.now());
            if ids.is_empty() && !ended {
                continue;
            }
            let found = self.stocks(ctx, &setup, &ids.into_iter().collect::<Vec<_>>()).await?;
            let seen = found.into_iter().map(|(id, snapshot)| Seen { id: map::remote(id), snapshot }).collect();
            return Ok(Page { seen, next: cursor_of(&walk)?, more: !ended });
        }
    }

    /// The products of the walk's next page, and whether more of its stage may follow.
    async fn moved(&self, ctx: &Ctx, setup: &Setup, walk: &mut StockWalk) -> Result<(BTreeSet<i64>, bool)> {
        let mut domain = vec![json!(["id", ">", walk.id])];
        let fields = ["product", "write_date", "create_date"];
        let (rows, page) = match walk.stage {
            Stage::Moves => {
                domain.push(json!(["company", "=", setup.company]));
                domain.extend(walk.tide.since.map(changed_since));
                (self.moves(ctx, setup, json!(domain), &fields).await?, LONG_PAGE)
            }
            stage => {
                domain.push(json!(["code", "!=", null]));
                if stage == Stage::Products {
                    domain.push(json!(["active", "in", [true, false]]));
                    domain.extend(walk.tide.since.map(written_since));
                }
                let wanted = Search { kind: Kind::Stock, domain, limit: PAGE, fields: &["write_date", "create_date"] };
                (search(&self.client, ctx, setup, wanted).await?, PAGE)
            }
        };
        walk.id = ascending(&rows, walk.id)?;
        let mut ids = BTreeSet::new();
        for row in &rows {
            if walk.stage == Stage::Moves {
                ids.insert(typed::<MovedRow>(row, "move")?.product);
            } else {
                ids.insert(id_of(row)?);
            }
            if walk.stage != Stage::All {
                walk.tide.meet(moment_of(row));
            }
        }
        Ok((ids, rows.len() == page))
    }

    /// When the last move was made or written, by Tryton's clock.
    async fn latest_move(&self, ctx: &Ctx, setup: &Setup) -> Result<Option<Timestamp>> {
        let mut latest = None;
        for field in ["write_date", "create_date"] {
            let domain = json!([["company", "=", setup.company], [field, "!=", null]]);
            let params = json!([domain, 0, 1, [[field, "DESC"]], ["write_date", "create_date"], setup.context()]);
            let rows: Vec<Value> = self.client.read(ctx, "model.stock.move.search_read", params).await?;
            latest = latest.max(rows.first().and_then(moment_of));
        }
        Ok(latest)
    }
}

/// What a walk goes through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    /// Every product in use.
    All,
    /// Moves written since.
    #[default]
    Moves,
    /// Products written since: new ones, and those retired.
    Products,
}

/// Where a walk through changed stock stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct StockWalk {
    /// Tryton's day when everything was last gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
    #[serde(default)]
    stage: Stage,
    #[serde(flatten)]
    tide: Tide,
    /// The last id of this stage.
    #[serde(default)]
    id: i64,
}

impl StockWalk {
    /// Goes on to the next stage; true where the pass is over.
    fn next_stage(&mut self, now: Timestamp) -> bool {
        self.id = 0;
        match self.stage {
            Stage::All => self.stage = Stage::Moves,
            Stage::Moves => self.stage = Stage::Products,
            Stage::Products => {
                self.stage = Stage::Moves;
                self.tide.end(now);
                return true;
            }
        }
        false
    }
}
