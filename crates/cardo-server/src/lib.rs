//! The `cardo` server: reads the configuration, builds the parts, joins them, and stops them in
//! order.

mod config;

pub use config::{
    Anonymous, AuthConfig, ByteSize, Config, ConfigError, Effective, EgressSection, KEYS, Key,
    LimitsConfig, LogConfig, LogFormat, Origin, Right, Settings, Shape, Span, TokenConfig,
    UnitError, show,
};
