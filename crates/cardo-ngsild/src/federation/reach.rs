//! How far a request reaches, and what sources are told of it.

use std::sync::Arc;

use axum::http::request::Parts;
use cardo_engine::{AskedSources, Caller, Forwarding, Reach, Snapshot};
use cardo_model::{EntityId, TwinId};
use cardo_query::Filter;

use crate::contexts::link_context;
use crate::face::Face;
use crate::fault::Fault;
use crate::represent::Naming;
use crate::request::Ask;

impl Face {
    /// How far a request reaches (clause 6.3.18). Where no source is registered, nothing of the
    /// request is looked at.
    pub(crate) async fn reach(&self, parts: &Parts, twin: &TwinId) -> Result<Reach, Fault> {
        if !self.engine.may_have_sources(twin) || is_local(parts) {
            return Ok(Reach::Local);
        }
        let reach = cardo_http::reach(&self.engine, &parts.headers, twin).await?;
        let context = link_context(&parts.headers).ok().flatten();
        Ok(match (reach, context) {
            (Reach::Sources(forwarding), Some(url)) => {
                let context = Some(Arc::from(url.as_ref()));
                Reach::Sources(Arc::new(Forwarding { context, ..Forwarding::clone(&forwarding) }))
            }
            (reach, _) => reach,
        })
    }

    /// The twin, completed by what sources have of one entity (clause 5.7.1.4).
    pub(crate) async fn completed(
        &self,
        ask: &Ask<'_>,
        naming: &Naming,
        asked: AskedSources,
        snapshot: Snapshot,
        id: &str,
    ) -> Result<Snapshot, Fault> {
        let Ok(id) = EntityId::new(id.to_owned()) else { return Ok(snapshot) };
        let caller = ask.caller_to(naming, asked);
        Ok(self.engine.completed(&caller, snapshot, &Filter::Ids(vec![id])).await?)
    }
}

impl Ask<'_> {
    /// The caller, with what a question says for sources.
    pub(crate) fn caller_to(&self, naming: &Naming, asked: AskedSources) -> Caller {
        let Some(forwarding) = self.caller.reach.forwarding() else { return self.caller.clone() };
        let url = naming.context().link().cloned();
        let forwarding = Forwarding {
            context: url.or_else(|| forwarding.context.clone()),
            asked,
            ..Forwarding::clone(forwarding)
        };
        Caller { reach: Reach::Sources(Arc::new(forwarding)), ..self.caller.clone() }
    }
}

/// The datasets that a parameter names.
pub(crate) fn datasets_of(text: Option<&str>) -> Vec<Box<str>> {
    let parts = text.into_iter().flat_map(|text| text.split(','));
    parts.map(|part| part.trim().into()).collect()
}

fn is_local(parts: &Parts) -> bool {
    let pairs = parts.uri.query().unwrap_or("").split('&');
    pairs.into_iter().any(|pair| pair == "local=true" || pair == "type=*" || pair == "type=%2A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    #[test]
    fn a_request_is_local_where_it_says_so_or_asks_for_all_types() {
        let local =
            |uri: &str| is_local(&Request::builder().uri(uri).body(()).unwrap().into_parts().0);
        assert!(local("/entities?local=true") && local("/entities?a=b&local=true"));
        assert!(local("/entities?type=*"));
        assert!(!local("/entities?local=false") && !local("/entities"));
    }
}
