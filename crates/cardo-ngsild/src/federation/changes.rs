//! Sends changes to a context source (clauses 5.6.7.4 to 5.6.10.4).

use cardo_egress::{Response, StatusCode};
use cardo_engine::{Operation, SourceFault, SourceOperation, SourceWrite, Written};
use cardo_jsonld::CORE_CONTEXT_URL;

use super::read::Written as Request;
use super::sender::{Sending, told};
use super::sources::Sources;
use super::write::{Manner, result_of_one, results_of_batch};
use crate::represent::Version;

impl Sources {
    /// Tells a source of changes; a result for each of them.
    pub(super) async fn changed(
        &self,
        request: &SourceWrite<'_>,
    ) -> Vec<Result<Written, SourceFault>> {
        let SourceWrite { registration, forwarding, operation, operations } = request;
        let naming = self.terms(registration, forwarding).await;
        let url = naming.context().link().map(AsRef::as_ref);
        // The context that a registration names goes with a header (clause 4.3.6.6).
        let is_inline = told(registration, "jsonldContext").is_none()
            && told(registration, "contentType") == Some("application/ld+json");
        let version = told(registration, "ngsildConformance").and_then(Version::at_most);
        let manner = Manner {
            naming: &naming,
            version: version.unwrap_or_default(),
            inline: is_inline.then(|| url.unwrap_or(CORE_CONTEXT_URL)),
        };
        if is_batch(*operation) {
            let written = Request::of_batch(request, &manner);
            return match self.tell(request, &manner, written).await {
                Ok(response) => results_of_batch(&response, operations),
                Err(fault) => vec![Err(fault); operations.len()],
            };
        }
        let mut results = Vec::with_capacity(operations.len());
        for one in operations {
            results.push(self.write_one(request, &manner, one).await);
        }
        results
    }

    /// Tells of one change. What is there already is changed where the batch says so, and the source
    /// takes that (clause 5.6.8.4).
    async fn write_one(
        &self,
        request: &SourceWrite<'_>,
        manner: &Manner<'_>,
        operation: &Operation,
    ) -> Result<Written, SourceFault> {
        let told_by = request.operation;
        let written = Request::of_one(operation, told_by, request, manner);
        let response = self.tell(request, manner, written).await?;
        let instead = match operation {
            Operation::CreateOrReplace(_) => SourceOperation::ReplaceEntity,
            Operation::CreateOrUpdate(_) => SourceOperation::UpdateEntity,
            _ => return result_of_one(&response),
        };
        let is_there = response.status == StatusCode::CONFLICT;
        if !is_there
            || told_by != SourceOperation::CreateEntity
            || !request.registration.operations.contains(instead)
        {
            return result_of_one(&response);
        }
        let written = Request::of_one(operation, instead, request, manner);
        result_of_one(&self.tell(request, manner, written).await?)
    }

    async fn tell(
        &self,
        request: &SourceWrite<'_>,
        manner: &Manner<'_>,
        written: Request,
    ) -> Result<Response, SourceFault> {
        let Request { method, path, body } = written;
        // A list of ids has no place for a context.
        let has_place = body.starts_with(b"{") || body.starts_with(b"[{");
        let is_inline = manner.inline.is_some() && has_place;
        let context = manner.naming.context().link().map(|url| url.as_ref().into());
        let sending = Sending { method, path, body, context, is_inline };
        self.sender.send(request.registration, request.forwarding, sending).await
    }
}

fn is_batch(operation: SourceOperation) -> bool {
    use SourceOperation as Op;
    matches!(
        operation,
        Op::CreateBatch | Op::UpsertBatch | Op::UpdateBatch | Op::MergeBatch | Op::DeleteBatch
    )
}
