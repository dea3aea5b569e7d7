//! Several sources, asked or told at once.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;

use super::reach::Forwarding;
use super::registration::Registration;
use super::sources::{ContextSources, SourceFault};
use crate::engine::Inner;
use crate::options::Clock;

/// How many sources are waited for at once.
const AT_ONCE: usize = 16;

/// How sources are reached on behalf of a call, or why none is.
pub(super) struct Asking<'a> {
    port: Result<Arc<dyn ContextSources>, SourceFault>,
    clock: &'a Clock,
}

impl Inner {
    pub(super) fn asking(&self, forwarding: &Forwarding) -> Asking<'_> {
        let nobody = || SourceFault::Silent("this server asks no context sources".to_owned());
        let port = if forwarding.is_loop() {
            Err(SourceFault::Loop)
        } else {
            self.context_sources().ok_or_else(nobody)
        };
        Asking { port, clock: &self.options.clock }
    }
}

impl Asking<'_> {
    /// What a source answers; counted with its registration.
    pub(super) async fn ask<'a, T>(
        &'a self,
        registration: &Registration,
        ask: impl FnOnce(&'a dyn ContextSources) -> BoxFuture<'a, Result<T, SourceFault>>,
    ) -> Result<T, SourceFault> {
        let port = self.port.as_deref().map_err(SourceFault::clone)?;
        let answer = ask(port).await;
        self.count(registration, answer.as_ref().err().is_none_or(|fault| !fault.is_failure()));
        answer
    }

    /// What a source answers to several things that it is told at once; counted as one request.
    pub(super) async fn tell<'a, T>(
        &'a self,
        registration: &Registration,
        things: usize,
        tell: impl FnOnce(&'a dyn ContextSources) -> BoxFuture<'a, Vec<Result<T, SourceFault>>>,
    ) -> Vec<Result<T, SourceFault>> {
        let failed = |fault: &SourceFault| (0..things).map(|_| Err(fault.clone())).collect();
        let port = match self.port.as_deref() {
            Ok(port) => port,
            Err(fault) => return failed(fault),
        };
        let mut answers = tell(port).await;
        let missing = || Err(SourceFault::Invalid("it does not say what it did".into()));
        answers.resize_with(things, missing);
        let has_failed =
            |answer: &Result<T, SourceFault>| matches!(answer, Err(fault) if fault.is_failure());
        self.count(registration, !answers.iter().all(has_failed));
        answers
    }

    fn count(&self, registration: &Registration, is_well: bool) {
        registration.progress.count((self.clock)(), is_well);
    }
}

/// Waits for all of them, some at a time; what came, in their order.
pub(super) async fn in_turns<T>(all: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    stream::iter(all).buffered(AT_ONCE).collect().await
}
