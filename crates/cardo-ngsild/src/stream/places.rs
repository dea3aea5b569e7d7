use std::sync::Arc;

use cardo_model::TwinId;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::fault::{Fault, NgsildError};

/// How many follow the twin of each tenant.
#[derive(Default)]
pub(crate) struct Places {
    taken: Mutex<HashMap<TwinId, usize, RandomState>>,
}

/// One who follows, counted as long as it lasts.
pub(crate) struct Place {
    places: Arc<Places>,
    twin: TwinId,
}

impl Places {
    /// A place, where one is free.
    pub(crate) fn take(self: &Arc<Self>, twin: &TwinId, most: usize) -> Result<Place, Fault> {
        let mut taken = self.taken.lock();
        let count = taken.entry(twin.clone()).or_default();
        if *count >= most {
            let detail = format!("{most} follow this tenant, and no more are accepted");
            return Err(Fault::later(NgsildError::Unavailable, detail));
        }
        *count += 1;
        Ok(Place { places: self.clone(), twin: twin.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        if let Some(count) = taken.get_mut(&self.twin) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.twin);
            }
        }
    }
}
