//! `sim`: simulated systems to try it on, as servers; their catalogue; and the simulation by seed.

use super::trial::Trial;
use crate::clock;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::signals;
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use syncline_sim::http::System;
use syncline_sim::weather::Weather;
use syncline_sim::{catalogue, elsewhere, magento, orders, serve, tryton};
use tokio::net::TcpListener;

const AFTER: &str = "\
Examples:
  syncline sim serve magento --port 8081 --orders 50 &
  syncline sim serve tryton --port 8082 --weather storm &
  syncline sim catalogue --seed 7 --products 120
  syncline sim --ring engine --seeds 3000 --json
  syncline sim --plant all --json
  syncline sim --ring engine --seed 42 --trace
Both servers tell all they hold past every API at GET /_sim/ledger, and how often their weather struck at GET /_sim/faults.
POST /_sim/orders places an order in the shop, as Magento tells one; POST /_sim/products changes a field as a person would:
  {\"sku\": \"MUG\", \"place\": null, \"field\": \"name\", \"value\": \"Beaker\"}
What stands behind /_sim/calm is the system's own API without the weather.";

/// What to simulate.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Sim>,
    #[command(flatten)]
    trial: Trial,
}

#[derive(Debug, Subcommand)]
enum Sim {
    /// Serve one simulated system until stopped; prints one line: how to reach it
    Serve(Serve),
    /// Print the catalogue both simulated systems hold
    Catalogue(Goods),
}

/// Which goods there are.
#[derive(Debug, clap::Args)]
struct Goods {
    /// Decides catalogue, customers and orders
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Products, at least; those of the recordings are always there
    #[arg(long, default_value_t = 100)]
    products: usize,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Look past every API: GET /_sim/ledger, GET /_sim/faults; place an order: POST /_sim/orders.")]
struct Serve {
    /// The system to pretend
    system: Pretended,
    /// The port of 127.0.0.1; 0 for any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[command(flatten)]
    goods: Goods,
    /// Orders of the last 24 hours, in a shop
    #[arg(long, default_value_t = 100)]
    orders: usize,
    /// What happens to requests on their way
    #[arg(long, default_value = "calm")]
    weather: Sky,
    /// What a shop's prices are in; those of the simulated ERP are in EUR
    #[arg(long, default_value = "USD", value_name = "CODE")]
    currency: String,
    /// No orders and no customers
    #[arg(long)]
    empty: bool,
    /// The catalogue in German and French beside English, and weights in kilograms
    #[arg(long)]
    languages: bool,
    /// A shop that wants every request signed (OAuth 1.0a), as Magento does since 2.4.4
    #[arg(long)]
    oauth: bool,
    /// An ERP that has so many of the shop's `--orders` already, as another connector would have booked them
    #[arg(long, default_value_t = 0, value_name = "N")]
    adopted: usize,
    /// An ERP without the module that keeps marks unique
    #[arg(long)]
    no_web_shop: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pretended {
    /// A Magento 2.4 shop
    Magento,
    /// A Tryton 8.0 ERP
    Tryton,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sky {
    /// Nothing
    Calm,
    /// Lost requests and replies, busy answers, proxies, repeats: about one request in seven
    Storm,
}

/// The database in the simulated ERP's address.
const DATABASE: &str = "erp";
const LOGIN: &str = "sync";

pub(crate) async fn carry_out(args: Args, out: Out) -> Result<Exit, Failure> {
    match args.command {
        None if args.trial.is_asked() => args.trial.carry_out(out),
        None => {
            let remedy = "`syncline sim serve magento`, or `syncline sim --ring engine --seeds 300`";
            Err(Failure::new("SYN-0436", "nothing was asked for", remedy))
        }
        Some(Sim::Catalogue(goods)) => {
            out.data(&catalogue::to_json(&catalogue::catalogue(goods.seed, goods.products)));
            Ok(Exit::Agreed)
        }
        Some(Sim::Serve(wish)) => served(&wish, out).await,
    }
}

async fn served(wish: &Serve, out: Out) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| {
        let what = format!("port {} of 127.0.0.1: {error}", wish.port);
        Failure::new("SYN-0433", what, "choose another port, or 0 for any that is free")
    };
    let listener = TcpListener::bind(("127.0.0.1", wish.port)).await.map_err(failed)?;
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    let (system, told) = pretended(wish, &url);
    let weather = if wish.weather == Sky::Storm { Weather::storm(wish.goods.seed) } else { Weather::calm() };
    out.data(&told);
    tokio::select! {
        biased;
        () = signals::asked() => Ok(Exit::Agreed),
        ended = serve::serve(system, weather, listener, clock::now) => ended.map(|()| Exit::Agreed).map_err(failed),
    }
}

/// The system, and the line that tells how to reach it.
fn pretended(wish: &Serve, url: &str) -> (Box<dyn System>, serde_json::Value) {
    let (seed, products) = (wish.goods.seed, wish.goods.products);
    let secret = format!("simulated-{seed}");
    match wish.system {
        Pretended::Magento => {
            let options = magento::Options {
                seed,
                products,
                orders: wish.orders,
                empty: wish.empty,
                now: clock::now(),
                token: secret.clone(),
            };
            let mut shop = magento::Shop::new(options);
            // Its catalogue has rare characters from the start: a shop that loses them would not.
            shop.quirks_mut().all_characters = true;
            shop.set_currency(&wish.currency);
            if wish.languages {
                shop.tell_in_languages(clock::now());
            }
            if !wish.oauth {
                return (Box::new(shop), json!({"url": url, "token": secret}));
            }
            let keys = magento::Keys::of(seed);
            let told = json!({
                "url": url, "consumer_key": keys.consumer_key, "consumer_secret": keys.consumer_secret,
                "access_token": keys.access_token, "access_token_secret": keys.access_token_secret,
            });
            shop.demand_signatures(keys);
            (Box::new(shop), told)
        }
        Pretended::Tryton => {
            let options = tryton::Options {
                seed,
                products,
                empty: wish.empty,
                web_shop: !wish.no_web_shop,
                now: clock::now(),
                login: LOGIN.to_string(),
                password: secret.clone(),
            };
            let told = json!({"url": format!("{url}/{DATABASE}"), "login": LOGIN, "password": secret});
            let mut erp = tryton::Erp::new(options);
            let shelf = catalogue::catalogue(seed, products);
            for order in orders::orders(seed, wish.orders, &shelf, clock::now()).iter().take(wish.adopted) {
                // What the ERP has no goods for, that connector could not book either.
                elsewhere::Booked::of(order).and_then(|booked| erp.bring(clock::now(), &booked));
            }
            if wish.languages {
                erp.tell_in_languages(clock::now(), &shelf);
            }
            erp.activate_images(clock::now());
            erp.activate_parcels(clock::now());
            (Box::new(erp), told)
        }
    }
}
