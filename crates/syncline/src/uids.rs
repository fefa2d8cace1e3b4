//! Holds the uids of the file against those the store knows its systems by: with another one, all would be taken up anew.

use crate::failure::Failure;
use syncline_core::id::SystemName;
use syncline_engine::config::{Config, SystemConfig};
use syncline_store::{Site, Store};

/// The systems of the file that `store` knows under another uid, each as a failure.
pub(crate) async fn changed(config: &Config, store: &dyn Store) -> Result<Vec<Failure>, Failure> {
    Ok(clashes(config, &store.sites().await?))
}

fn clashes(config: &Config, known: &[Site]) -> Vec<Failure> {
    config.renumbered(known).into_iter().map(|(system, site)| failure(config, system, site)).collect()
}

fn failure(config: &Config, system: &SystemConfig, known: &Site) -> Failure {
    let (name, store) = (&system.name, config.store.display());
    let what = format!(
        "{}: [systems.{name}] has the uid `{}`, and the store {store} knows what is there by the uid `{}`",
        config.shown(),
        system.uid,
        known.uid
    );
    let remedy = format!(
        "put back `uid = \"{}\"`: with another one everything would be taken up anew; where another installation stands \
         there now, `syncline check --new-installation {name}`",
        known.uid
    );
    Failure::new("SYN-0426", what, remedy)
}

/// Refuses a uid that was changed; where there is none, takes down where the systems answer.
pub(crate) async fn kept(config: &Config, store: &dyn Store) -> Result<(), Failure> {
    let known = store.sites().await?;
    if let Some(failure) = clashes(config, &known).into_iter().next() {
        return Err(failure);
    }
    let is_news = |site: &Site| {
        let same = |one: &Site| one.uid == site.uid && one.url == site.url && one.scope == site.scope;
        !known.iter().any(same)
    };
    let news: Vec<Site> = config.sites().into_iter().filter(is_news).collect();
    if !news.is_empty() {
        store.keep_sites(news).await?;
    }
    Ok(())
}

/// Takes down that the system called `name` is another installation than the one known there.
pub(crate) async fn replaced(config: &Config, store: &dyn Store, name: &str) -> Result<(), Failure> {
    let Some(system) = config.systems.get(&SystemName::new(name)) else {
        return Err(Failure::usage(format!("the file has no system called `{name}`"), "name one as the file does"));
    };
    let known = store.sites().await?;
    let of_it = config.renumbered(&known).into_iter().filter(|(own, _)| own.uid == system.uid);
    let mut sites: Vec<Site> = of_it.map(|(_, site)| Site { url: Some(String::new()), ..site.clone() }).collect();
    if sites.is_empty() {
        let what = format!("`{name}` is known by its uid, or not known at all");
        return Err(Failure::usage(
            what,
            "leave `--new-installation` out; a new installation gets a `uid` of its own first",
        ));
    }
    sites.push(system.site());
    Ok(store.keep_sites(sites).await?)
}
