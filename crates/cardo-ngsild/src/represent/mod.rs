//! From records to JSON text: names are looked up in a table of ready pieces, values are copied.

mod entity;
mod language;
mod linked;
mod names;
mod shape;
mod special;
mod temporal;

pub(crate) use entity::EntityWriter;
pub(crate) use language::{InvalidLanguages, Languages};
pub(crate) use names::{NameTable, Naming};
pub(crate) use shape::{Datasets, Format, Members, Picked, Shape};
pub(crate) use special::{Join, JoinStyle, Special, Version, targets};
pub(crate) use temporal::{TemporalForm, TemporalWriter, instance_id};
