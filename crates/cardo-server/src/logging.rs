use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{LogConfig, LogFormat};

/// A log level that means nothing.
#[derive(Debug, thiserror::Error)]
#[error("log.level {level:?} is not a level such as \"info\": {reason}")]
pub struct LogLevelError {
    level: String,
    reason: tracing_subscriber::filter::ParseError,
}

/// Sends the log of this process to standard error.
pub fn start_logging(config: &LogConfig) -> Result<(), LogLevelError> {
    let filter = EnvFilter::builder()
        .parse(&config.level)
        .map_err(|reason| LogLevelError { level: config.level.clone(), reason })?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process keeps the first subscriber.
    let _ = match config.format {
        LogFormat::Text => {
            let is_terminal = std::io::stderr().is_terminal();
            builder.with_target(false).with_ansi(is_terminal).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
