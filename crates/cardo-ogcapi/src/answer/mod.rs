//! Pages of features, whole or piece by piece.

mod encoding;
mod geojson;
mod rows;
mod stream;
mod thread;

use std::sync::Arc;

use cardo_engine::{Table, Tables};

pub(crate) use encoding::{Encoding, link_headers};
pub(crate) use geojson::{
    END, GeoJsonPieces, json_fg_members, open_page, write_features, write_links,
};
pub(crate) use rows::{RowPieces, head_of};
pub(crate) use stream::{PIECE, Pieces, whole};

use crate::represent::Shown;

/// What of a table is shown: what a large answer keeps of its request.
pub(crate) struct View {
    tables: Arc<Tables>,
    table: Box<str>,
    pub(crate) shown: Shown,
}

impl View {
    pub(crate) fn new(tables: Arc<Tables>, table: &Table, shown: Shown) -> Self {
        Self { tables, table: table.name.clone(), shown }
    }

    pub(crate) fn table(&self) -> Option<&Table> {
        self.tables.get(&self.table)
    }
}
