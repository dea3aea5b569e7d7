//! The `cardo` server: reads the configuration, builds the parts, joins them, and stops them in
//! order.

mod auth;
mod cli;
mod command;
mod config;
mod contexts;
mod courier;
mod demo;
mod http;
mod index;
mod logging;
mod metrics;
mod names;
mod operations;
mod parts;
mod reference;
mod refusal;
mod source_metrics;
mod sources;
mod supervisor;
mod tls;
mod too_long;
mod unread;

pub use auth::{AuthError, TokenAuthorizer, new_token};
pub use cli::{
    Cli, Command, CommonArgs, ContextCommand, IngestArgs, QuarantineCommand, RightArg, ServeArgs,
    TokenArgs,
};
pub use command::execute;
pub use config::{
    Anonymous, AuthConfig, ByteSize, Config, ConfigError, Effective, EgressSection, HttpConfig,
    KEYS, Key, LimitsConfig, LogConfig, LogFormat, Origin, Right, Settings, Shape, Span,
    TokenConfig, UnitError, show,
};
pub use http::{ListenError, listen};
pub use logging::{LogLevelError, start_logging};
pub use metrics::RequestMetrics;
pub use parts::{RunError, run};
