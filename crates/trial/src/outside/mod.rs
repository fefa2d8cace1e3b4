//! Outside bytes: every parser that sees what others wrote, as the product drives it. `cargo x fuzz` looks for bytes that break one;
//! those it found, and some of every sort, are kept in `corpus` and read again with every build.

mod described;
mod file;
mod hint;
mod kept;
mod records;
mod spoilt;
mod systems;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use spoilt::Spoilt;

/// One reader of outside bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `corpus`.
    pub name: &'static str,
    /// What the bytes are.
    pub what: &'static str,
    /// Reads them; panics where something does not hold, and ends.
    pub run: fn(&[u8]),
}

/// Every reader there is.
pub const TARGETS: [Target; 10] = [
    Target {
        name: "shop_trade",
        what: "a shop's answers about orders, customers, payments and papers",
        run: systems::shop_trade,
    },
    Target {
        name: "shop_goods",
        what: "a shop's answers about products, categories, stock, prices, images and itself",
        run: systems::shop_goods,
    },
    Target {
        name: "erp_trade",
        what: "an ERP's answers about sales, parties, invoices, shipments and credits",
        run: systems::erp_trade,
    },
    Target {
        name: "erp_goods",
        what: "an ERP's answers about products, categories, stock, prices, images and itself",
        run: systems::erp_goods,
    },
    Target {
        name: "described",
        what: "answers of an API that the merchant's file describes",
        run: described::described,
    },
    Target { name: "pass", what: "answers of either system, through the whole product", run: systems::pass },
    Target { name: "hint", what: "requests to the listener, as they come or signed", run: hint::hint },
    Target { name: "file", what: "the merchant's file", run: file::file },
    Target { name: "store", what: "a store that somebody else wrote", run: kept::store },
    Target { name: "words", what: "numbers, paths, marks, texts, packed bytes and stored JSON", run: words::words },
];

/// The reader called `name`.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// What `work` comes to on a runtime of its own, whose time passes only when nothing else is left to do.
#[expect(clippy::panic, reason = "without a runtime nothing is read")]
fn within<T>(work: impl Future<Output = T>) -> T {
    match tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => panic!("no runtime: {error}"),
    }
}
