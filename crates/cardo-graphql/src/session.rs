//! On whose behalf a request runs, and the moment of the twin that answers it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cardo_engine::{Caller, Snapshot};
use cardo_model::Revision;
use parking_lot::Mutex;

use crate::face::Face;
use crate::fault::Fault;
use crate::model::Model;
use crate::resolve::Moment;

/// One request: every field of a question is answered from one moment; each change moves on.
pub(crate) struct Session {
    pub(crate) face: Arc<Face>,
    pub(crate) caller: Caller,
    pub(crate) model: Arc<Model>,
    moment: Mutex<Arc<Moment>>,
    revision: AtomicU64,
}

impl Session {
    pub(crate) fn new(
        face: Arc<Face>,
        caller: Caller,
        model: Arc<Model>,
        snapshot: Snapshot,
    ) -> Arc<Self> {
        let revision = AtomicU64::new(snapshot.revision().0);
        let moment = Arc::new(Moment::new(face.clone(), caller.clone(), model.clone(), snapshot));
        Arc::new(Self { face, caller, model, moment: Mutex::new(moment), revision })
    }

    pub(crate) fn moment(&self) -> Arc<Moment> {
        self.moment.lock().clone()
    }

    /// The twin as it is now, for what comes behind a change or an event.
    pub(crate) async fn move_on(&self) -> Result<Arc<Moment>, Fault> {
        let snapshot = match self.face.engine.loaded_snapshot(&self.caller) {
            Some(snapshot) => snapshot,
            None => self.face.engine.snapshot(&self.caller).await?,
        };
        let revision = snapshot.revision();
        let moment =
            Moment::new(self.face.clone(), self.caller.clone(), self.model.clone(), snapshot);
        let moment = Arc::new(moment);
        *self.moment.lock() = moment.clone();
        self.reach(revision);
        Ok(moment)
    }

    /// The revision that the answer shows.
    pub(crate) fn revision(&self) -> Revision {
        Revision(self.revision.load(Ordering::Acquire))
    }

    pub(crate) fn reach(&self, revision: Revision) {
        self.revision.store(revision.0, Ordering::Release);
    }
}
