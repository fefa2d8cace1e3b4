//! `adopt orders`: ties orders to the documents another connector made of them.

use super::SHOWN;
use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use crate::patience::patiently;
use crate::{progress, signals};
use serde_json::json;
use std::sync::Mutex;
use syncline_engine::adopt::{Listed, OrdersAdopted, OrdersWanted};
use syncline_engine::{Engine, EngineError};

pub(super) async fn carry_out(engine: &Engine, wanted: &OrdersWanted, out: Out) -> Result<Exit, Failure> {
    let told: Mutex<Option<OrdersAdopted>> = Mutex::new(None);
    let work = patiently(engine, out, async || {
        let mut tell = |report: &OrdersAdopted| {
            if let Ok(mut told) = told.lock() {
                *told = Some(report.clone());
            }
        };
        engine.adopt_orders(wanted, &mut tell).await
    });
    let (result, stopped) = signals::stoppable(engine, out, work, come(&told, out)).await;
    let reports: Vec<OrdersAdopted> = result.map_err(|error: EngineError| Failure::from(error))?;
    tell(&reports, stopped, out);
    let clear = |report: &OrdersAdopted| {
        [&report.different, &report.ambiguous, &report.customers_ambiguous].into_iter().all(|list| list.count == 0)
    };
    Ok(match reports.iter().all(clear) {
        _ if stopped => Exit::Failed,
        true => Exit::Agreed,
        false => Exit::Open,
    })
}

fn tell(reports: &[OrdersAdopted], stopped: bool, out: Out) {
    if out.json {
        match reports {
            [report] => out.data(&json!({ "orders": report, "over": !stopped })),
            all => out.data(&json!({ "orders": { "shops": all }, "over": !stopped })),
        }
        return;
    }
    for report in reports {
        let shop = if reports.len() > 1 { format!("{}: ", report.shop) } else { String::new() };
        out.line(format!(
            "{shop}{} read: {} bound now, {} before, {} not in the ERP, {} different, {} ambiguous; {} bound along",
            count(report.read, "order"),
            report.bound,
            report.before,
            report.unmatched.count,
            report.different.count,
            report.ambiguous.count,
            count(report.customers, "customer"),
        ));
        told_of(report, out);
    }
    if stopped {
        out.say("stopped before the end; `syncline adopt orders` once more goes on with what is not tied yet");
    }
}

fn told_of(report: &OrdersAdopted, out: Out) {
    let lists: [(&str, &Listed); 5] = [
        ("different, and not bound: put one of the two right, then `syncline adopt orders` again", &report.different),
        ("ambiguous; choose by `--csv FILE`", &report.ambiguous),
        ("customers in doubt; choose by `syncline adopt customers --csv FILE`", &report.customers_ambiguous),
        ("bound, and drafts in the ERP: they stay so until somebody confirms them there", &report.unreleased),
        ("refer to something else than their document; `--numbers-to-shop` sends its number", &report.numbers),
    ];
    for (what, one) in lists {
        if one.count > 0 {
            out.line(format!("{} {what}:", one.count));
            one.first.iter().take(SHOWN).for_each(|line| out.line(format!("  {line}")));
        }
        if one.count > SHOWN {
            out.line("  … (more with --json)");
        }
    }
}

/// Tells every few seconds how far it has come, until dropped.
async fn come(told: &Mutex<Option<OrdersAdopted>>, out: Out) {
    loop {
        tokio::time::sleep(progress::LINE_EVERY).await;
        let Ok(told) = told.lock().map(|told| told.clone()) else { return };
        if let Some(report) = told {
            let orders = count(report.read, "order");
            out.say(format!("{}: {orders} read so far, {} bound", report.shop, report.bound));
        }
    }
}
