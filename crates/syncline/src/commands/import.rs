//! `import`: orders from before the flow's first day, listed, and let through by name for good.

use super::{Named, plan};
use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, count};
use serde_json::json;
use std::collections::BTreeMap;
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_engine::Engine;
use syncline_engine::config::Config;

const AFTER: &str = "\
Examples:
  syncline import                                 the orders placed before `start`, which are not carried over
  syncline import order:000000012                 what it would bring to let this one through; changes nothing
  syncline import order:000000012 000000013 --yes lets both through, for good; the next `sync` or `plan` has them
An order that is held because another one is of the same cart (SYN-0128) is let through in the same way.
An order that was let through stays so, whatever `start` says later. Ends with 2 where there is something to let through.";

/// Which orders.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The orders, as `explain` takes them; none to list all
    orders: Vec<String>,
    /// Let them through without showing what it would bring
    #[arg(long, requires = "orders")]
    yes: bool,
}

/// Rows a person is shown.
const SHOWN: usize = 200;

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    match (args.orders.as_slice(), args.yes) {
        ([], _) => listed(&open::looking(config)?, out).await,
        (orders, false) => shown(&open::watching(config).await?, orders, out).await,
        (orders, true) => let_through(&open::deciding(config, out).await?, orders, out).await,
    }
}

async fn listed(engine: &Engine, out: Out) -> Result<Exit, Failure> {
    let early = engine.early().await?;
    if out.json {
        out.data(&json!({ "early": early, "orders": early.len() }));
        return Ok(Exit::Agreed);
    }
    let rows: Vec<Vec<String>> =
        early.iter().take(SHOWN).map(|order| vec![order.called.clone(), order.why.clone()]).collect();
    out.table(&["ORDER", "WHY"], &rows);
    if early.len() > SHOWN {
        out.line(format!("… and {} (all with --json)", count(early.len() - SHOWN, "more order")));
    }
    out.line(format!("{} from before the flow's first day", count(early.len(), "order")));
    Ok(Exit::Agreed)
}

/// The named orders, each once, with what it was called; every one is from before the first day.
async fn named(engine: &Engine, orders: &[String]) -> Result<BTreeMap<EntityId, String>, Failure> {
    let mut found = BTreeMap::new();
    let before = engine.store.admitted().await?;
    for text in orders {
        let mut name = Named::of(text);
        if *name.kind.get_or_insert(Kind::Order) != Kind::Order {
            return Err(Failure::usage(format!("`{text}` is no order"), "name orders as `order:NUMBER`"));
        }
        let entity = name.entity(engine).await?;
        if !before.contains(&entity) && !engine.is_early(entity).await? {
            let what = format!("{}: nothing was changed", engine.explain(entity).await?.summary);
            let remedy = "leave it out: only orders from before the flow's first day, and those of one cart, are let through by name";
            return Err(Failure::new("SYN-0437", what, remedy));
        }
        found.insert(entity, text.clone());
    }
    Ok(found)
}

/// What letting them through would bring. Nothing is changed.
async fn shown(engine: &Engine, orders: &[String], out: Out) -> Result<Exit, Failure> {
    let named = named(engine, orders).await?;
    let entities: Vec<EntityId> = named.keys().copied().collect();
    let plan = engine.plan_import(&entities).await?;
    if out.json {
        plan.rows.iter().for_each(|row| out.data(&plan::row_json(row)));
        out.data(&json!({
            "orders": entities.len(), "steps": plan.rows.len(), "waiting": plan.open_in("waiting"),
            "held": plan.open_in("held"), "awaiting": plan.awaiting, "open": plan.open, "imported": 0,
        }));
    } else {
        plan::rows(&plan, false, out);
        out.line(format!(
            "{} would bring {}, {} held, {} not due yet; nothing was changed",
            count(entities.len(), "order"),
            count(plan.rows.len(), "step"),
            plan.open_in("held"),
            plan.awaiting
        ));
        out.say(format!("`syncline import {} --yes` lets through what is named", orders.join(" ")));
    }
    Ok(Exit::Pending)
}

async fn let_through(engine: &Engine, orders: &[String], out: Out) -> Result<Exit, Failure> {
    let named = named(engine, orders).await?;
    let imported = engine.import(named.into_keys().collect()).await?;
    if out.json {
        out.data(&json!({ "imported": imported }));
    } else {
        out.line(format!("{} let through for good; the next `syncline sync` brings them", count(imported, "order")));
    }
    Ok(Exit::Agreed)
}
