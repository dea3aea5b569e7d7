//! By which operation a source is told of a change (clauses 5.6.7.4 to 5.6.10.4 and 5.6.20.4).

use super::operations::{Operations, SourceOperation};
use crate::operation::Operation;

/// The operation that a source takes; none where it takes none that would do.
pub(super) fn told_by(
    operation: &Operation,
    taken: Operations,
    is_batch: bool,
) -> Option<SourceOperation> {
    let batch = if is_batch { batch_of(operation) } else { None };
    let mut ways = batch.into_iter().chain(singles_of(operation, is_batch).iter().copied());
    ways.find(|way| taken.contains(*way))
}

/// The batch that holds such operations.
fn batch_of(operation: &Operation) -> Option<SourceOperation> {
    Some(match operation {
        Operation::Create(_) => SourceOperation::CreateBatch,
        Operation::CreateOrReplace(_) | Operation::CreateOrUpdate(_) => {
            SourceOperation::UpsertBatch
        }
        Operation::Append { .. } => SourceOperation::UpdateBatch,
        Operation::Merge { .. } => SourceOperation::MergeBatch,
        Operation::Delete(_) => SourceOperation::DeleteBatch,
        _ => return None,
    })
}

/// What does the same to one entity, the best first.
fn singles_of(operation: &Operation, is_batch: bool) -> &'static [SourceOperation] {
    use SourceOperation as Op;
    match operation {
        Operation::Create(_) => &[Op::CreateEntity],
        Operation::CreateOrReplace(_) => &[Op::CreateEntity, Op::ReplaceEntity],
        Operation::CreateOrUpdate(_) => &[Op::CreateEntity, Op::UpdateEntity],
        Operation::Replace(_) => &[Op::ReplaceEntity],
        Operation::Merge { .. } => &[Op::MergeEntity],
        // Of a batch, attributes are appended so that they take the place of others (5.6.9.4).
        Operation::Append { no_overwrite: false, .. } if is_batch => &[Op::UpdateEntity],
        Operation::Append { .. } => &[Op::AppendAttrs],
        Operation::Update { .. } => &[Op::UpdateEntity],
        Operation::PartialUpdate { .. } => &[Op::UpdateAttrs],
        Operation::ReplaceAttribute { .. } => &[Op::ReplaceAttrs],
        Operation::DeleteAttribute { .. } => &[Op::DeleteAttrs],
        Operation::Delete(_) => &[Op::DeleteEntity],
        Operation::Record { must_exist: false, .. } => &[Op::UpsertTemporal],
        Operation::Record { .. } => &[Op::AppendAttrsTemporal],
        Operation::ForgetAttribute { .. } => &[Op::DeleteAttrsTemporal],
        Operation::ForgetHistory(_) => &[Op::DeleteTemporal],
        Operation::AmendInstance { by: Some(_), .. } => &[Op::UpdateAttrInstanceTemporal],
        Operation::AmendInstance { .. } => &[Op::DeleteAttrInstanceTemporal],
        Operation::Ingest(_) | Operation::Document(_) | Operation::Expire(_) => &[],
    }
}
