//! The real `cardo`, driven from outside, and the layering of the workspace.

mod access;
mod commands;
mod demo;
mod disk;
mod exchange;
mod ingest;
mod kill;
mod layering;
mod lifecycle;
mod reach;
mod support;
