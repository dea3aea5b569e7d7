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

#[cfg(test)]
mod tests;
