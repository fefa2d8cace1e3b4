//! What products are sorted by and known as: categories, identifiers, and attributes where that module is there.

use super::super::schema::{Digits, Field, Kind, Model};
use super::{BY_NAME, char, field, flag, int, many, one, text};

/// The images of a template or of a product, as either lists them.
pub(super) fn images(back: &'static str) -> Field {
    many("images", "Images", "product.image", back)
}

/// Images: of all variants of a template, or of the one that is named.
pub(super) fn image() -> Model {
    Model::new(
        "product.image",
        "Product Image",
        &[("sequence", false), ("id", false)],
        vec![
            one("template", "Product", "product.template").required().indexed(),
            one("product", "Variant", "product.product").indexed(),
            field("image", "Image", Kind::Binary).required(),
            char("description", "Description").translated(),
            int("sequence", "Sequence"),
        ],
    )
}

/// What a template or a product is made of, as either lists it.
pub(super) fn components(back: &'static str) -> Field {
    many("components", "Components", "product.component", back)
}

/// Components: of all variants of a template, or of the one that is named.
pub(super) fn component() -> Model {
    Model::new(
        "product.component",
        "Product Component",
        &[("sequence", false), ("id", false)],
        vec![
            one("parent_template", "Parent Product", "product.template").required().indexed(),
            one("parent_product", "Parent Variant", "product.product").indexed(),
            one("product", "Product", "product.product").required().indexed(),
            field("quantity", "Quantity", Kind::Float(Digits::Unit("unit"))).required(),
            one("unit", "Unit", "product.uom").required(),
            flag("fixed", "Fixed"),
            int("sequence", "Sequence"),
        ],
    )
}

/// The attribute set of a template, and the values of a product.
pub(super) fn attributed() -> (Vec<Field>, Vec<Field>) {
    let set = one("attribute_set", "Attribute Set", "product.attribute.set");
    (vec![set], vec![field("attributes", "Attributes", Kind::Dict)])
}

fn categories() -> Model {
    Model::new(
        "product.category",
        "Product Category",
        BY_NAME,
        vec![
            char("name", "Name").required().translated(),
            one("parent", "Parent", "product.category").indexed(),
            field("customer_taxes", "Customer Taxes", Kind::ManyMany("account.tax")),
            many("childs", "Children", "product.category", "parent"),
            flag("accounting", "Accounting"),
        ],
    )
}

/// What hangs below a product, and what it is sorted by; attributes where that module is there.
pub(super) fn product_parts(attributes: bool) -> Vec<Model> {
    let mut models = vec![
        categories(),
        Model::new(
            "product.identifier",
            "Product Identifier",
            &[("product", false), ("sequence", false), ("id", false)],
            vec![
                one("product", "Product", "product.product").required().indexed(),
                field("type", "Type", Kind::Select(&["ean", "isan", "isbn", "isil", "isin", "ismn", "brand", "mpn"])),
                char("code", "Code").required(),
                int("sequence", "Sequence"),
            ],
        ),
    ];
    if attributes {
        let sorts = &[
            "boolean",
            "integer",
            "char",
            "color",
            "float",
            "numeric",
            "date",
            "datetime",
            "selection",
            "multiselection",
        ];
        models.push(Model::new(
            "product.attribute.set",
            "Product Attribute Set",
            BY_NAME,
            vec![
                char("name", "Name").required(),
                field("attributes", "Attributes", Kind::ManyMany("product.attribute")),
            ],
        ));
        models.push(Model::new(
            "product.attribute",
            "Product Attribute",
            BY_NAME,
            vec![
                char("name", "Name").required(),
                char("string", "String").required().translated(),
                field("type_", "Type", Kind::Select(sorts)).required(),
                text("selection", "Selection").translated(),
                field("sets", "Sets", Kind::ManyMany("product.attribute.set")),
            ],
        ));
    }
    models
}
