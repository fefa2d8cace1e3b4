//! Magento.
