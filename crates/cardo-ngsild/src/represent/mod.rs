//! From records to JSON text: names are looked up in a table of ready pieces, values are copied.

mod entity;
mod names;
mod shape;
mod temporal;

pub(crate) use entity::EntityWriter;
pub(crate) use names::{NameTable, Naming};
pub(crate) use shape::{Datasets, Format, Members, Picked, Shape};
pub(crate) use temporal::{Point, TemporalWriter};
