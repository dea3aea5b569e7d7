//! One filter tree, its evaluator over a [`Candidate`], and a module per text dialect.

mod ast;
mod candidate;
mod pattern;

pub use ast::{
    Comparison, Datasets, Filter, GeoCondition, Literal, Member, Operand, Operator, Path, Resolved,
    Root, ScopeTest,
};
pub use candidate::Candidate;
pub use pattern::{InvalidPattern, Pattern};
