//! Random twins and random questions to them, out of a small world in which many things meet:
//! entities of several types, attributes with several instances and attributes of their own,
//! languages, scopes, geometry at the antimeridian, at the poles and without extent.
//!
//! The strategies name types and attributes by full name; `map_names` turns both entities and
//! filters to ids.
//!
//! ```
//! use cardo_testkit::random::{random_entity, random_filter, sample};
//!
//! let entities = sample(&proptest::collection::vec(random_entity(), 10), 42);
//! let filter = sample(&random_filter(), 42);
//! assert_eq!(entities.len(), 10);
//! assert_eq!(filter, sample(&random_filter(), 42));
//! ```

mod cql2;
mod entity;
mod filter;
mod shape;
mod world;

pub use cql2::{WorldQueryables, random_cql2, random_cql2_filter};
pub use entity::{random_attribute, random_entity, random_instance, random_value};
pub use filter::{random_comparison, random_filter, random_geo_filter};
pub use shape::random_shape;
pub use world::{ATTRIBUTES, TYPES, attribute_name, name_id, record, type_name};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// One value of a strategy, always the same for a seed.
pub fn sample<S: Strategy>(strategy: &S, seed: u64) -> S::Value {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).expect("the strategies reject nothing for long").current()
}
