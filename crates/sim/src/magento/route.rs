//! From a request line to the route it means, with the store view it was asked under.

use super::attributes::AttributeRoute;
use super::bundles::BundleRoute;
use super::category_routes::CategoryRoute;
use super::families::FamilyRoute;
use super::media::MediaRoute;
use super::papers::PaperRoute;
use super::price_routes::PriceRoute;
use super::stock_routes::StockRoute;

/// One request line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Path segments, decoded one by one, so that a `%2F` stays within its segment.
    pub(super) path: Vec<String>,
    /// Query pairs in the order sent, decoded.
    pub(super) query: Vec<(String, String)>,
}

impl Target {
    /// The parts of a path with query as it was sent.
    pub(super) fn parse(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect();
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true), decode(value, true))
        });
        Self { path, query: pairs.collect() }
    }

    /// The value of a query key.
    pub(super) fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// POST integration/admin/token.
    AdminToken,
    /// GET of something the shop was set up with.
    Setup(Setup),
    /// GET directory/countries/{id}.
    Country(String),
    /// GET orders.
    Orders,
    /// GET orders/{id}.
    Order(String),
    /// POST orders: saves the columns that are given.
    SaveOrder,
    /// POST orders/{id}/hold.
    Hold(String),
    /// POST orders/{id}/unhold.
    Unhold(String),
    /// POST orders/{id}/cancel.
    Cancel(String),
    /// GET customers/search.
    Customers,
    /// GET customers/{id}.
    Customer(String),
    /// All about what was done about orders.
    Paper(PaperRoute),
    /// POST customers.
    CreateCustomer,
    /// PUT customers/{id}.
    UpdateCustomer(String),
    /// GET products.
    Products,
    /// GET products/{sku}.
    Product(String),
    /// POST products: saves one that is there, or makes one.
    SaveProduct,
    /// PUT products/{sku}: saves the fields that are given, in the scope of the path.
    UpdateProduct(String),
    /// All about the websites a product is sold in.
    Websites(WebsiteRoute),
    /// All about attributes under products.
    Attributes(AttributeRoute),
    /// All about categories.
    Categories(CategoryRoute),
    /// All about configurable products.
    Family(FamilyRoute),
    /// All about bundles.
    Bundle(BundleRoute),
    /// POST customerGroups.
    MakeGroup,
    /// All about the images of a product.
    Media(String, MediaRoute),
    /// All about prices under products.
    Prices(PriceRoute),
    /// All about stock.
    Stock(StockRoute),
}

/// What is asked about the websites of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WebsiteRoute {
    /// POST products/{sku}/websites.
    Add(String),
}

/// What the shop was set up with, by the list it is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setup {
    /// store/storeViews.
    StoreViews,
    /// store/storeGroups.
    StoreGroups,
    /// store/websites.
    Websites,
    /// store/storeConfigs.
    StoreConfigs,
    /// customerGroups/search.
    CustomerGroups,
    /// modules.
    Modules,
    /// taxRates/search.
    TaxRates,
    /// taxClasses/search.
    TaxClasses,
    /// directory/countries.
    Countries,
    /// products/attribute-sets/sets/list.
    AttributeSets,
}

impl Route {
    /// The route of a verb and the path after `V1`.
    pub(super) fn of(method: &str, path: &[&str]) -> Option<Self> {
        let owned = |part: &&str| (*part).to_owned();
        // Before a product with such a SKU, as the shop has it.
        if let ["products", name] = path
            && let Some(route) = PriceRoute::of(method, name)
        {
            return Some(Self::Prices(route));
        }
        if let ["products", rest @ ..] = path
            && let Some(route) = AttributeRoute::of(method, rest)
        {
            return Some(Self::Attributes(route));
        }
        if let ["products", sku, rest @ ..] = path
            && let Some(route) = MediaRoute::of(method, rest)
        {
            return Some(Self::Media(owned(sku), route));
        }
        if let Some(route) = PaperRoute::of(method, path) {
            return Some(Self::Paper(route));
        }
        Some(match (method, path) {
            ("POST", ["integration", "admin", "token"]) => Self::AdminToken,
            ("GET", ["store", "storeViews"]) => Self::Setup(Setup::StoreViews),
            ("GET", ["store", "storeGroups"]) => Self::Setup(Setup::StoreGroups),
            ("GET", ["store", "websites"]) => Self::Setup(Setup::Websites),
            ("GET", ["store", "storeConfigs"]) => Self::Setup(Setup::StoreConfigs),
            ("GET", ["customerGroups", "search"]) => Self::Setup(Setup::CustomerGroups),
            ("POST", ["customerGroups"]) => Self::MakeGroup,
            ("GET", ["modules"]) => Self::Setup(Setup::Modules),
            ("GET", ["taxRates", "search"]) => Self::Setup(Setup::TaxRates),
            ("GET", ["taxClasses", "search"]) => Self::Setup(Setup::TaxClasses),
            ("GET", ["directory", "countries"]) => Self::Setup(Setup::Countries),
            ("GET", ["directory", "countries", id]) => Self::Country(owned(id)),
            ("GET", ["orders"]) => Self::Orders,
            ("POST", ["orders"]) => Self::SaveOrder,
            ("GET", ["orders", id]) => Self::Order(owned(id)),
            ("POST", ["orders", id, "hold"]) => Self::Hold(owned(id)),
            ("POST", ["orders", id, "unhold"]) => Self::Unhold(owned(id)),
            ("POST", ["orders", id, "cancel"]) => Self::Cancel(owned(id)),
            ("GET", ["customers", "search"]) => Self::Customers,
            ("POST", ["customers"]) => Self::CreateCustomer,
            ("GET", ["customers", id]) => Self::Customer(owned(id)),
            ("PUT", ["customers", id]) => Self::UpdateCustomer(owned(id)),
            ("GET", ["products", "attribute-sets", "sets", "list"]) => Self::Setup(Setup::AttributeSets),
            ("GET", ["products"]) => Self::Products,
            ("POST", ["products"]) => Self::SaveProduct,
            ("GET", ["products", sku]) => Self::Product(owned(sku)),
            ("PUT", ["products", sku]) => Self::UpdateProduct(owned(sku)),
            ("POST", ["products", sku, "websites"]) => Self::Websites(WebsiteRoute::Add(owned(sku))),
            ("GET", ["stockItems", sku]) => Self::Stock(StockRoute::Item(owned(sku))),
            ("PUT", ["products", sku, "stockItems", _]) => Self::Stock(StockRoute::SaveItem(owned(sku))),
            (_, ["categories", rest @ ..]) => Self::Categories(CategoryRoute::of(method, rest)?),
            (_, ["configurable-products", rest @ ..]) => Self::Family(FamilyRoute::of(method, rest)?),
            (_, ["bundle-products", rest @ ..]) => Self::Bundle(BundleRoute::of(method, rest)?),
            (_, ["inventory", rest @ ..]) => Self::Stock(StockRoute::of(method, rest)?),
            _ => return None,
        })
    }

    /// The right a caller needs; none for what anyone may ask.
    pub(super) fn right(&self) -> Option<&'static str> {
        Some(match self {
            Self::AdminToken | Self::Setup(Setup::Countries) | Self::Country(_) => return None,
            Self::Setup(Setup::CustomerGroups) => "Magento_Customer::group",
            Self::Setup(Setup::Modules) => "Magento_Backend::setup_wizard",
            Self::Setup(Setup::TaxRates | Setup::TaxClasses) => "Magento_Tax::manage_tax",
            Self::Setup(Setup::AttributeSets) => "Magento_Catalog::sets",
            Self::Setup(_) => "Magento_Backend::store",
            Self::Orders | Self::Order(_) => "Magento_Sales::actions_view",
            Self::SaveOrder => "Magento_Sales::create",
            Self::Hold(_) => "Magento_Sales::hold",
            Self::Unhold(_) => "Magento_Sales::unhold",
            Self::Cancel(_) => "Magento_Sales::cancel",
            Self::Customers | Self::Customer(_) => "Magento_Customer::customer",
            Self::CreateCustomer | Self::UpdateCustomer(_) => "Magento_Customer::manage",
            Self::Products
            | Self::Product(_)
            | Self::SaveProduct
            | Self::UpdateProduct(_)
            | Self::Websites(_)
            | Self::Family(_)
            | Self::Bundle(_)
            | Self::Media(..) => "Magento_Catalog::products",
            Self::Paper(route) => route.right(),
            Self::Attributes(route) => route.right(),
            Self::Categories(_) => "Magento_Catalog::categories",
            Self::MakeGroup => "Magento_Customer::group",
            Self::Prices(_) => "Magento_Catalog::catalog",
            Self::Stock(route) => route.right(),
        })
    }
}

/// A percent-encoded text, decoded; in a query `+` is a space. What is not UTF-8 becomes a replacement character.
pub(super) fn decode(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = tail;
                }
                _ => bytes.push(b'%'),
            },
            (b'+', _) if plus_is_space => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_slash_stays_within_its_segment() {
        let target = Target::parse("/rest/all/V1/products/NUT%2FM8%20%C3%BC?fields=id,sku&a=1%2B2+3");
        assert_eq!(target.path, ["rest", "all", "V1", "products", "NUT/M8 ü"]);
        assert_eq!(target.query("fields"), Some("id,sku"));
        assert_eq!(target.query("a"), Some("1+2 3"));
    }

    #[test]
    fn broken_escapes_are_kept_as_sent() {
        assert_eq!(Target::parse("/a%2/%zz/%").path, ["a%2", "%zz", "%"]);
        assert_eq!(Target::parse("/%ff").path, ["\u{fffd}"]);
    }
}
