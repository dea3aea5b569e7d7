//! Writes that context sources have a part in (clauses 5.6 and 6.3.17).

use std::sync::Arc;

use cardo_model::{Iri, Timestamp};
use cardo_query::{TemporalProperty, TemporalRange, TimeRelation};
use futures_util::future::BoxFuture;

use super::asking::{Asking, in_turns};
use super::index::Registrations;
use super::matching::Match;
use super::parcel::{Distributed, Part, PartFault, SourceWrite, Written};
use super::reach::{AskedBy, Forwarding};
use super::registration::Registration;
use super::share::{Share, split, wanted};
use super::sources::SourceFault;
use super::told::told_by;
use super::wanted::Wanted;
use super::{Mode, SourceOperation};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::live::Root;
use crate::operation::{Batch, Done, Operation, OperationError, Outcome, WriteError};
use crate::query::QueryError;

/// The most operations that one request to a source holds.
const MOST_AT_ONCE: usize = 1_000;

/// An operation on its way.
struct Going {
    shares: Vec<Share>,
    /// What it is called where all of it is elsewhere.
    fallback: Done,
    is_local: bool,
    /// Whether it is well where the twin has nothing of it.
    may_miss: bool,
}

/// Operations for one source.
struct Parcel<'a> {
    registration: &'a Arc<Registration>,
    /// By which operation they are told; none where the source does not take them.
    operation: Option<SourceOperation>,
    /// The operation of the batch that each is a part of, and which of its parts.
    places: Vec<(usize, usize)>,
    operations: Vec<&'a Operation>,
}

type PartResult = Result<Written, PartFault>;

impl Engine {
    /// Applies a batch to the twin and to the sources that have a part in it; gives it back where
    /// none has.
    pub(crate) async fn distribute(
        &self,
        caller: &Caller,
        batch: Batch,
    ) -> Result<Result<Outcome, WriteError>, Batch> {
        let Some(forwarding) = caller.reach.forwarding() else { return Err(batch) };
        let Ok(twin) = self.inner.twin(&caller.twin).await else { return Err(batch) };
        let registrations = twin.registrations();
        if registrations.is_empty() {
            return Err(batch);
        }
        let root = twin.root.load_full();
        let found = |operation| self.sources_for(&registrations, forwarding, &root, operation);
        let matches: Vec<Vec<Match>> = batch.operations.iter().map(found).collect();
        if matches.iter().all(Vec::is_empty) {
            return Err(batch);
        }
        let is_batch = forwarding.asked.by == AskedBy::Batch;
        let Batch { operations, offsets, if_revision, if_unchanged } = batch;
        let mut local = Batch { operations: Vec::new(), offsets, if_revision, if_unchanged };
        let going: Vec<Going> = operations
            .into_iter()
            .zip(&matches)
            .map(|(operation, found)| {
                let passed = &*forwarding.passed;
                go(operation, found, (is_batch, passed), &mut local.operations)
            })
            .collect();
        Ok(self.apply_and_send(caller, forwarding, going, local).await)
    }

    /// Has context sources alone do what the twin has nothing of; none where no source has a part in
    /// it.
    pub async fn apply_elsewhere(
        &self,
        caller: &Caller,
        operation: Operation,
    ) -> Result<Option<Distributed>, QueryError> {
        let Some(forwarding) = caller.reach.forwarding() else { return Ok(None) };
        let twin = self.inner.twin(&caller.twin).await?;
        let (registrations, root) = (twin.registrations(), twin.root.load_full());
        let matches = self.sources_for(&registrations, forwarding, &root, &operation);
        let passed = &*forwarding.passed;
        let going = go(operation, &matches, (false, passed), &mut Vec::new());
        if going.shares.is_empty() {
            return Ok(None);
        }
        let results = self.send(forwarding, std::slice::from_ref(&going)).await.pop();
        Ok(Some(joined(going.shares, results.unwrap_or_default(), None, true)))
    }

    /// The sources that may have what an operation is about.
    fn sources_for(
        &self,
        registrations: &Registrations,
        forwarding: &Forwarding,
        root: &Root,
        operation: &Operation,
    ) -> Vec<Match> {
        let Some(id) = operation.entity() else { return Vec::new() };
        let mut types = operation.types().to_vec();
        if let Some(record) = root.slot(id.as_str()).and_then(|slot| root.record(slot)) {
            let known = record.view().types().filter_map(|name| self.inner.names.name(name));
            types.extend(known);
        }
        let base = Wanted::registrations((self.inner.options.clock)());
        let wanted = wanted(operation, types, base);
        let mut found = registrations.matching(&wanted);
        if operation.is_temporal() {
            found.extend(registrations.matching(&Wanted { time: Some(EVER), ..wanted }));
        }
        // Clause 5.12 on those who have passed the request; what they alone have is not written
        // here for that (clause 4.3.6.3).
        found.retain(|Match { registration, .. }| match registration.mode {
            Mode::Auxiliary => false,
            Mode::Inclusive => !registration.is_among(&forwarding.passed),
            Mode::Exclusive | Mode::Redirect => true,
        });
        found
    }

    async fn apply_and_send(
        &self,
        caller: &Caller,
        forwarding: &Forwarding,
        going: Vec<Going>,
        local: Batch,
    ) -> Result<Outcome, WriteError> {
        let mut outcome = if local.operations.is_empty() && local.offsets.is_empty() {
            let revision =
                self.inner.twin(&caller.twin).await.map(|twin| twin.root.load().revision);
            Outcome::new(revision.unwrap_or_default(), Vec::new())
        } else {
            self.apply_here(caller, local).await?
        };
        let results = self.send(forwarding, &going).await;
        let mut applied = std::mem::take(&mut outcome.results).into_iter();
        for (one, results) in going.into_iter().zip(results) {
            let local = one.is_local.then(|| applied.next()).flatten();
            let Going { shares, fallback, may_miss, .. } = one;
            let distributed = joined(shares, results, local, may_miss);
            outcome.results.push(distributed.whole(fallback));
            outcome.distributed.push(Some(distributed));
        }
        Ok(outcome)
    }

    /// Sends all parts, and says what came of each, in the order of the operations and their parts.
    async fn send(&self, forwarding: &Forwarding, going: &[Going]) -> Vec<Vec<PartResult>> {
        let parcels = parcels(going, forwarding.asked.by == AskedBy::Batch);
        let asking = self.inner.asking(forwarding);
        let mut sending: Vec<BoxFuture<'_, Vec<PartResult>>> = Vec::with_capacity(parcels.len());
        for parcel in &parcels {
            sending.push(Box::pin(send_one(&asking, forwarding, parcel)));
        }
        let mut all: Vec<Vec<PartResult>> = Vec::with_capacity(going.len());
        all.extend(going.iter().map(|one| vec![Err(PartFault::NotTaken); one.shares.len()]));
        for (parcel, results) in parcels.iter().zip(in_turns(sending).await) {
            for ((place, part), result) in parcel.places.iter().zip(results) {
                all[*place][*part] = result;
            }
        }
        all
    }
}

async fn send_one(
    asking: &Asking<'_>,
    forwarding: &Forwarding,
    parcel: &Parcel<'_>,
) -> Vec<PartResult> {
    let failed = |fault: PartFault| vec![Err(fault); parcel.operations.len()];
    if parcel.registration.is_among(&forwarding.passed) {
        return failed(SourceFault::Loop.into());
    }
    let Some(operation) = parcel.operation else { return failed(PartFault::NotTaken) };
    let request = SourceWrite {
        registration: parcel.registration,
        forwarding,
        operation,
        operations: parcel.operations.clone(),
    };
    let things = request.operations.len();
    let results = asking.tell(parcel.registration, things, |port| port.write(&request)).await;
    results.into_iter().map(|result| result.map_err(PartFault::from)).collect()
}

/// All of the time.
const EVER: TemporalRange = TemporalRange {
    property: TemporalProperty::ObservedAt,
    relation: TimeRelation::Before(Timestamp::MAX),
};

/// Divides an operation; what is for the twin is put behind the others. It is one of a batch or not, and has passed some servers.
fn go(
    operation: Operation,
    matches: &[Match],
    (is_batch, passed): (bool, &[Box<str>]),
    local: &mut Vec<Operation>,
) -> Going {
    let fallback = fallback(&operation);
    let is_deletion = matches!(operation, Operation::Delete(_) | Operation::ForgetHistory(_));
    let mut split = split(operation, matches, passed);
    // An additive source that does not take the operation has no part in it.
    split.shares.retain(|share| {
        let taken = share.registration.operations;
        share.registration.mode.is_proxied() || told_by(&share.operation, taken, is_batch).is_some()
    });
    let is_local = split.local.is_some();
    local.extend(split.local);
    Going { shares: split.shares, fallback, is_local, may_miss: is_deletion && split.is_proxied }
}

/// What an operation is called that was done elsewhere.
fn fallback(operation: &Operation) -> Done {
    match operation {
        Operation::Create(_) => Done::Created,
        Operation::Delete(_) | Operation::DeleteAttribute { .. } => Done::Deleted,
        operation if operation.is_temporal() => Done::HistoryOnly,
        _ => Done::Updated { not_updated: Vec::new(), updated: Vec::new() },
    }
}

/// Gathers the parts by source and by how they are told.
fn parcels(going: &[Going], is_batch: bool) -> Vec<Parcel<'_>> {
    let mut parcels: Vec<Parcel<'_>> = Vec::new();
    for (place, one) in going.iter().enumerate() {
        for (part, share) in one.shares.iter().enumerate() {
            let registration = &share.registration;
            let operation = told_by(&share.operation, registration.operations, is_batch);
            let known = parcels.iter_mut().rev().find(|parcel| {
                Arc::ptr_eq(parcel.registration, registration)
                    && parcel.operation == operation
                    && parcel.operations.len() < MOST_AT_ONCE
            });
            match known {
                Some(known) => {
                    known.places.push((place, part));
                    known.operations.push(&share.operation);
                }
                None => parcels.push(Parcel {
                    registration,
                    operation,
                    places: vec![(place, part)],
                    operations: vec![&share.operation],
                }),
            }
        }
    }
    parcels
}

/// What came of all parts of an operation.
fn joined(
    shares: Vec<Share>,
    results: Vec<PartResult>,
    local: Option<Result<Done, OperationError>>,
    may_miss: bool,
) -> Distributed {
    // Who has passed a deletion on has seen to their own part.
    let is_done = may_miss && matches!(local, Some(Ok(_)));
    let parts: Vec<Part> = shares
        .into_iter()
        .zip(results)
        .filter(|(share, _)| !(is_done && share.is_back))
        .map(|(share, result)| {
            let registration: Iri = share.registration.id.clone();
            let is_proxied = share.registration.mode.is_proxied();
            Part { registration, is_proxied, attributes: share.attributes, result }
        })
        .collect();
    let is_missing = matches!(local, Some(Err(OperationError::NotFound(_))));
    Distributed { local: local.filter(|_| !(is_missing && may_miss)), parts }
}
