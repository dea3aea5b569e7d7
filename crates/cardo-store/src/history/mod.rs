//! What the stores share about history: its binary form and the choice of rows.

pub(crate) mod chunk;
pub(crate) mod row;
pub(crate) mod select;
pub(crate) mod walk;
