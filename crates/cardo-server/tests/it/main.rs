//! The real `cardo`, driven from outside, and the layering of the workspace.

mod access;
mod certification;
mod commands;
mod conform;
mod conformance;
mod console;
mod demo;
mod deploy;
mod disk;
mod exchange;
mod federation;
mod feeds;
mod follow;
mod gis;
mod graphql;
mod ingest;
mod kill;
mod layering;
mod lifecycle;
mod notify;
mod one_twin;
mod reach;
mod readme;
mod reference;
mod support;
mod vocabulary;
