use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use parking_lot::Mutex;

use crate::fault::Fault;
use crate::limits;
use crate::options::GraphqlLimits;

/// How many documents are kept, and how long each may be.
const MAX_KEPT: usize = 256;
pub(crate) const MAX_BYTES: usize = 4_096;

/// Documents that were read before; clients send the same ones again and again.
#[derive(Default)]
pub(crate) struct Documents(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    by_text: HashMap<Arc<str>, Arc<ExecutableDocument>>,
    order: VecDeque<Arc<str>>,
}

impl Documents {
    /// The document, within the limits.
    pub(crate) fn read(
        &self,
        text: &str,
        limits: &GraphqlLimits,
    ) -> Result<Arc<ExecutableDocument>, Fault> {
        if let Some(document) = self.0.lock().by_text.get(text) {
            return Ok(document.clone());
        }
        let document = Arc::new(limits::read(text, limits)?);
        if text.len() <= MAX_BYTES {
            self.0.lock().put(text.into(), document.clone());
        }
        Ok(document)
    }
}

impl Kept {
    fn put(&mut self, text: Arc<str>, document: Arc<ExecutableDocument>) {
        if self.by_text.insert(text.clone(), document).is_none() {
            self.order.push_back(text);
        }
        while self.order.len() > MAX_KEPT {
            let Some(oldest) = self.order.pop_front() else { return };
            self.by_text.remove(&oldest);
        }
    }
}
