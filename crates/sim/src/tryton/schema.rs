//! Which models exist, with which fields: the part of Tryton 8.0 an order touches.

use super::fail::Fail;
use super::models;

/// How many decimals a number may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// Not limited here.
    Any,
    /// At most this many.
    Fixed(u32),
    /// Those of the unit in that field of the same record.
    Unit(&'static str),
    /// Those of the sale's currency.
    Currency,
}

/// Which figure of a product's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// What is there.
    Quantity,
    /// What will be there at the end of the call's period.
    Forecast,
}

/// Which moves of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// From the storage zone to the output zone.
    Inventory,
    /// From the output zone to the customer.
    Outgoing,
    /// Both, the latest first.
    Both,
    /// From the supplier to the customer, the latest first.
    Dropped,
}

/// A value computed when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calc {
    /// A field of the record behind another field.
    Via(&'static str, &'static str),
    /// The price used for a product: its own, else its template's.
    ListPrice,
    /// What the running call is told that a product costs.
    SalePrice,
    /// The first identifier that is a tax number.
    TaxIdentifier,
    /// The first contact mechanism of this type.
    Mechanism(&'static str),
    /// The same as another field.
    Same(&'static str),
    /// Net amount of a sale line or subtotal, or of an invoice's line.
    LineAmount,
    /// First line of the description.
    Summary,
    /// Net of a sale or an invoice.
    Untaxed,
    /// Tax of a sale or an invoice.
    Tax,
    /// Net and tax of a sale or an invoice.
    Total,
    /// What of an invoice is still to be paid.
    Owed,
    /// The lines of a sale that have an amount.
    LineLines,
    /// What lies in the locations of the call, or will.
    Figure(Figure),
    /// The warehouse a location belongs to.
    Warehouse,
    /// The moves of a shipment: all, outgoing or within the warehouse.
    Moves(Leg),
    /// The parcels of a shipment.
    Packages,
    /// The papers of that model with a part that comes from a line of the sale.
    Papers(&'static str),
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One line of text; blanks at both ends are cut where `strip`.
    Char {
        /// Whether blanks at both ends are cut.
        strip: bool,
    },
    /// Text of any shape, kept as it is.
    Text,
    /// A whole number.
    Int,
    /// A float, shown as a JSON number.
    Float(Digits),
    /// A decimal.
    Numeric(Digits),
    /// A flag.
    Bool,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// Values by name, of any sort; nothing about them is checked.
    Dict,
    /// Bytes; where the call asks for it, how many there are.
    Binary,
    /// One of these codes.
    Select(&'static [&'static str]),
    /// A record of that model.
    One(&'static str),
    /// The records of `model` whose field `back` points here.
    Many {
        /// The model of the children.
        model: &'static str,
        /// Their field that points back.
        back: &'static str,
    },
    /// Records of that model, kept as a list here.
    ManyMany(&'static str),
    /// Not stored; with the model it points to, or "" for a plain value.
    Calc(Calc, &'static str),
}

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its name in error texts.
    pub title: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be filled in.
    pub required: bool,
    /// Whether look-ups by value are answered from an index.
    pub indexed: bool,
    /// Whether there is one of it per language.
    pub translated: bool,
}

impl Field {
    /// The same, to be filled in always.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, with an index.
    pub fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    /// The same, one per language.
    pub fn translated(mut self) -> Self {
        self.translated = true;
        self
    }

    /// The model this field points to, if it does.
    pub fn target(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::One(model) | Kind::ManyMany(model) | Kind::Many { model, .. } => Some(model),
            Kind::Calc(_, model) if !model.is_empty() => Some(model),
            _ => None,
        }
    }

    /// Whether a row holds a value for it.
    pub fn stored(&self) -> bool {
        !matches!(self.kind, Kind::Many { .. } | Kind::Calc(..))
    }
}

/// Positions by name, in the order of the names' lengths: few names of one length have to be compared.
#[derive(Debug, Clone)]
struct Places(Vec<(usize, &'static str, usize)>);

impl Places {
    fn of(names: impl Iterator<Item = &'static str>) -> Self {
        let mut places: Vec<_> = names.enumerate().map(|(at, name)| (name.len(), name, at)).collect();
        places.sort_unstable();
        Self(places)
    }

    fn find(&self, name: &str) -> Option<usize> {
        let found = self.0.binary_search_by(|(length, known, _)| (*length, *known).cmp(&(name.len(), name)));
        found.ok().map(|at| self.0[at].2)
    }
}

/// One model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its name in error texts.
    pub title: &'static str,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Default order: field and whether descending.
    pub order: &'static [(&'static str, bool)],
    places: Places,
}

impl Model {
    /// A model of these fields.
    pub fn new(
        name: &'static str,
        title: &'static str,
        order: &'static [(&'static str, bool)],
        fields: Vec<Field>,
    ) -> Self {
        let places = Places::of(fields.iter().map(|field| field.name));
        Self { name, title, fields, order, places }
    }

    /// Position of a field, or Python's `KeyError`.
    pub fn position(&self, field: &str) -> Result<usize, Fail> {
        self.places.find(field).ok_or_else(|| Fail::key(field))
    }

    /// Position of a field, where there is such a one.
    pub fn find(&self, field: &str) -> Option<usize> {
        self.places.find(field)
    }

    /// A field by name, or Python's `KeyError`.
    pub fn field(&self, name: &str) -> Result<&Field, Fail> {
        self.position(name).map(|at| &self.fields[at])
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.places.find(name).is_some()
    }
}

/// All models of one installation.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The models, in a fixed order.
    pub models: Vec<Model>,
    places: Places,
}

impl Schema {
    /// The models of an installation with or without the modules `web_shop`, `product_measurements` and
    /// `product_attribute`.
    pub fn new(web_shop: bool) -> Self {
        let mut models = models::base();
        models.extend(models::trade(web_shop));
        let places = Places::of(models.iter().map(|model| model.name));
        Self { models, places }
    }

    /// Position of a model, or Python's `KeyError`.
    pub fn position(&self, name: &str) -> Result<usize, Fail> {
        self.places.find(name).ok_or_else(|| Fail::key(name))
    }

    /// Position of a model, where there is such a one.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.places.find(name)
    }

    /// A model by name, or Python's `KeyError`.
    pub fn model(&self, name: &str) -> Result<&Model, Fail> {
        self.position(name).map(|at| &self.models[at])
    }
}
