//! The columns of the shop's tables that a filter or a save may name (Magento's own API schema, 2.4.9).

/// Scalar columns of an order, sorted.
#[rustfmt::skip]
pub(super) const ORDER: &[&str] = &[
    "adjustment_negative", "adjustment_positive", "applied_rule_ids", "base_adjustment_negative",
    "base_adjustment_positive", "base_currency_code", "base_discount_amount", "base_discount_canceled",
    "base_discount_invoiced", "base_discount_refunded", "base_discount_tax_compensation_amount",
    "base_discount_tax_compensation_invoiced", "base_discount_tax_compensation_refunded", "base_grand_total",
    "base_shipping_amount", "base_shipping_canceled", "base_shipping_discount_amount",
    "base_shipping_discount_tax_compensation_amnt", "base_shipping_incl_tax", "base_shipping_invoiced",
    "base_shipping_refunded", "base_shipping_tax_amount", "base_shipping_tax_refunded", "base_subtotal",
    "base_subtotal_canceled", "base_subtotal_incl_tax", "base_subtotal_invoiced", "base_subtotal_refunded",
    "base_tax_amount", "base_tax_canceled", "base_tax_invoiced", "base_tax_refunded", "base_to_global_rate",
    "base_to_order_rate", "base_total_canceled", "base_total_due", "base_total_invoiced", "base_total_invoiced_cost",
    "base_total_offline_refunded", "base_total_online_refunded", "base_total_paid", "base_total_qty_ordered",
    "base_total_refunded", "billing_address_id", "can_ship_partially", "can_ship_partially_item", "coupon_code",
    "created_at", "customer_dob", "customer_email", "customer_firstname", "customer_gender", "customer_group_id",
    "customer_id", "customer_is_guest", "customer_lastname", "customer_middlename", "customer_note",
    "customer_note_notify", "customer_prefix", "customer_suffix", "customer_taxvat", "discount_amount",
    "discount_canceled", "discount_description", "discount_invoiced", "discount_refunded",
    "discount_tax_compensation_amount", "discount_tax_compensation_invoiced", "discount_tax_compensation_refunded",
    "edit_increment", "email_sent", "entity_id", "ext_customer_id", "ext_order_id", "forced_shipment_with_invoice",
    "global_currency_code", "grand_total", "hold_before_state", "hold_before_status", "increment_id", "is_virtual",
    "order_currency_code", "original_increment_id", "payment_auth_expiration", "payment_authorization_amount",
    "protect_code", "quote_address_id", "quote_id", "relation_child_id", "relation_child_real_id",
    "relation_parent_id", "relation_parent_real_id", "remote_ip", "shipping_amount", "shipping_canceled",
    "shipping_description", "shipping_discount_amount", "shipping_discount_tax_compensation_amount",
    "shipping_incl_tax", "shipping_invoiced", "shipping_refunded", "shipping_tax_amount", "shipping_tax_refunded",
    "state", "status", "store_currency_code", "store_id", "store_name", "store_to_base_rate", "store_to_order_rate",
    "subtotal", "subtotal_canceled", "subtotal_incl_tax", "subtotal_invoiced", "subtotal_refunded", "tax_amount",
    "tax_canceled", "tax_invoiced", "tax_refunded", "total_canceled", "total_due", "total_invoiced",
    "total_item_count", "total_offline_refunded", "total_online_refunded", "total_paid", "total_qty_ordered",
    "total_refunded", "updated_at", "weight", "x_forwarded_for",
];

/// Columns of an order that hold text, sorted; the others hold numbers.
#[rustfmt::skip]
pub(super) const ORDER_TEXT: &[&str] = &[
    "applied_rule_ids", "base_currency_code", "coupon_code", "created_at", "customer_dob", "customer_email",
    "customer_firstname", "customer_lastname", "customer_middlename", "customer_note", "customer_prefix",
    "customer_suffix", "customer_taxvat", "discount_description", "ext_customer_id", "ext_order_id",
    "global_currency_code", "hold_before_state", "hold_before_status", "increment_id", "order_currency_code",
    "original_increment_id", "protect_code", "relation_child_id", "relation_child_real_id", "relation_parent_id",
    "relation_parent_real_id", "remote_ip", "shipping_description", "state", "status", "store_currency_code",
    "store_name", "updated_at", "x_forwarded_for",
];

/// Characters the shop's database keeps of a reference to another system; it cuts the rest off without a word.
pub(super) const REFERENCE_LENGTH: usize = 32;

/// What customers can be filtered by, sorted.
pub(super) const CUSTOMER: &[&str] = &[
    "created_at",
    "created_in",
    "dob",
    "email",
    "entity_id",
    "firstname",
    "gender",
    "group_id",
    "id",
    "lastname",
    "middlename",
    "prefix",
    "store_id",
    "suffix",
    "taxvat",
    "updated_at",
    "website_id",
];

/// What categories can be filtered by, sorted.
pub(super) const CATEGORY: &[&str] = &[
    "children",
    "created_at",
    "entity_id",
    "id",
    "is_active",
    "level",
    "name",
    "parent_id",
    "path",
    "position",
    "updated_at",
];

/// What products can be filtered by, sorted.
pub(super) const PRODUCT: &[&str] = &[
    "attribute_set_id",
    "created_at",
    "entity_id",
    "id",
    "name",
    "price",
    "sku",
    "status",
    "tax_class_id",
    "type_id",
    "updated_at",
    "url_key",
    "visibility",
    "weight",
];
