use std::sync::Arc;

use cardo_engine::{ColumnType, Table};

use super::Resolver;
use crate::systems::System;

/// What of features is shown, read once from a request. The default is all of it.
#[derive(Clone)]
pub(crate) struct Shown {
    /// Which columns stand among the properties, by their places; `None` where all do.
    pub(crate) columns: Option<Box<[bool]>>,
    /// Whether geometries are shown; the member of a feature is null where they are not.
    pub(crate) geometry: bool,
    /// Whether the rings of the member are known to run by the right-hand rule as they are held.
    pub(crate) is_right_handed: bool,
    /// The reference system of all coordinates that are shown, and the order of their axes.
    pub(crate) system: Arc<System>,
    /// Shows references as addresses; without it they are the ids of features.
    pub(crate) references: Option<Arc<Resolver>>,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            columns: None,
            geometry: true,
            is_right_handed: false,
            system: System::default_one(),
            references: None,
        }
    }
}

impl Shown {
    /// Whether a column is shown; the one that places features is shown as their geometry, whatever
    /// properties were chosen.
    pub(crate) fn shows(&self, table: &Table, column: usize) -> bool {
        if table.geometry == Some(column) {
            return self.geometry;
        }
        match &self.columns {
            Some(columns) => columns.get(column).copied().unwrap_or(false),
            None => self.geometry || table.columns[column].datatype != ColumnType::Geometry,
        }
    }
}
