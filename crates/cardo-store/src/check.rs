//! Checks of arguments that every store makes alike.

use cardo_engine::{Append, EncodedRecord, Projection, StoreError};
use cardo_model::{Revision, Seq, TwinId};

/// Refuses an append whose revisions do not follow its expected head without gaps.
pub(crate) fn append(append: &Append) -> Result<(), StoreError> {
    let mut expected = append.expected_head;
    for record in &append.records {
        expected = expected.next();
        if record.revision != expected {
            return Err(StoreError::Failed(format!(
                "an append to {} has revision {} where {expected} follows",
                append.twin, record.revision
            )));
        }
    }
    Ok(())
}

/// Refuses a projection that does not build on what was reached, or whose entities are unsorted.
pub(crate) fn projection(
    twin: &TwinId,
    reached: Revision,
    projection: &Projection,
) -> Result<(), StoreError> {
    if projection.after != reached || projection.to < reached {
        return Err(StoreError::Failed(format!(
            "a projection of {twin} from revision {} to {} was refused: its state is at {reached}",
            projection.after, projection.to
        )));
    }
    let entities = &projection.entities;
    let mut pairs = entities.iter().zip(entities.iter().skip(1));
    if let Some((a, b)) = pairs.find(|(a, b)| a.0 >= b.0) {
        return Err(StoreError::Failed(format!(
            "a projection of {twin} was refused: entity {} stands before {}",
            a.0.as_u64(),
            b.0.as_u64()
        )));
    }
    let is_own = |seq: Seq, record: &cardo_model::Record| record.view().seq() == seq;
    if let Some((seq, _)) =
        entities.iter().find(|(seq, r)| r.as_ref().is_some_and(|r| !is_own(*seq, r)))
    {
        return Err(StoreError::Failed(format!(
            "a projection of {twin} was refused: the record at {} is of another entity",
            seq.as_u64()
        )));
    }
    Ok(())
}

/// Refuses a cut behind what is projected.
pub(crate) fn cut(twin: &TwinId, reached: Revision, up_to: Revision) -> Result<(), StoreError> {
    if up_to > reached {
        return Err(StoreError::Failed(format!(
            "the log of {twin} cannot be cut up to revision {up_to}: its state is at {reached}"
        )));
    }
    Ok(())
}

/// Takes records until their size passes `max_bytes`, but one where there is one.
pub(crate) fn take_records(
    records: impl Iterator<Item = EncodedRecord>,
    max_bytes: usize,
) -> Vec<EncodedRecord> {
    let mut taken = Vec::new();
    let mut bytes = 0_usize;
    for record in records {
        bytes = bytes.saturating_add(record.bytes.len());
        if !taken.is_empty() && bytes > max_bytes {
            break;
        }
        taken.push(record);
    }
    taken
}

/// The refusal of a projection without a log.
pub(crate) fn never_appended(twin: &TwinId) -> StoreError {
    StoreError::Failed(format!(
        "a projection of {twin} was refused: nothing was ever appended to its log"
    ))
}
