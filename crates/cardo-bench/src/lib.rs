//! The yardsticks of the design, measured: a synthetic city in the real server, driven over HTTP,
//! beside a bare handler that answers with the same bytes.

mod city;
mod disturbed;
mod graph;
mod land;
mod limit;
mod load;
mod machine;
mod maps;
mod martin;
mod moments;
mod process;
mod questions;
mod reads;
mod run;
mod snapshots;
mod starts;
mod streams;
mod subscriptions;
mod table;
mod temporal;
mod tiles;
mod wire;
mod writes;

pub use city::{City, DEFAULT_CONTEXT, TEMPERATURES, TYPES, full_name};
pub use land::Land;
pub use limit::serve_limit;
pub use load::Question;
pub use maps::{Maps, batches_of, questions_of};
pub use martin::Martin;
pub use process::{cpu_seconds, resident_bytes};
pub use reads::{Rounds, reads_of};
pub use run::{Run, build_server, is_part};
