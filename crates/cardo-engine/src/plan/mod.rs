//! The planner: which indexes a filter can use, what each way would cost, and the walk that finds
//! the entities in the order of their creation.

mod choose;
mod listed;
mod number;
mod parts;
mod places;
mod resolve;
mod run;

pub(crate) use choose::{Need, Plan};
pub(crate) use parts::{IndexSort, Wanted};
pub(crate) use resolve::resolve;
pub(crate) use run::{Direction, Run, Window};

use cardo_query::{Resolved, evaluate};

use crate::live::Root;

/// Whether the record in a slot meets a filter.
#[inline]
pub(crate) fn meets(root: &Root, slot: u32, filter: &Resolved) -> bool {
    root.record(slot).is_some_and(|record| evaluate(filter, &record.view()))
}

#[cfg(test)]
mod tests;
