//! Conditions on linked entities (NGSI-LD, clause 4.9): the entities that meet them are found first,
//! innermost before outermost, then the question is put in terms of their ids.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use cardo_model::{Iri, Kind, Record};
use cardo_query::{
    Comparison, Filter, Link, LinkTarget, Literal, Operand, Operator, Path, evaluate,
};

use crate::caller::Caller;
use crate::engine::Inner;
use crate::listing::Listing;
use crate::order::Order;
use crate::query::{EntityQuery, Page, PageRequest, PageStart, QueryError};
use crate::snapshot::Snapshot;
use crate::twin::Twin;

/// The most entities that one such condition may be met by.
const MOST: usize = 100_000;
/// Up to so many ids are asked for by value, which an index can answer.
const FEW: usize = 64;
/// How many linked entities are looked at to judge one entity.
const LOOKS: usize = 10_000;

type Found<'a> = Pin<Box<dyn Future<Output = Result<Filter, QueryError>> + Send + 'a>>;

impl Inner {
    /// Answers a question that may have conditions on linked entities.
    pub(crate) async fn answer_linked(
        self: &Arc<Self>,
        twin: &Arc<Twin>,
        snapshot: &Snapshot,
        query: &EntityQuery,
    ) -> Result<Page, QueryError> {
        if !query.filter.has_links() {
            return self.answer(twin, snapshot, query).await;
        }
        let at = At { twin, snapshot, far: None };
        let filter = self.without_links(at, &query.filter).await?;
        let query = EntityQuery { filter, ..query.clone() };
        self.answer(twin, snapshot, &query).await
    }

    /// The same, of which the answer is a listing.
    pub(crate) async fn list_linked(
        self: &Arc<Self>,
        twin: &Arc<Twin>,
        snapshot: Snapshot,
        query: &EntityQuery,
    ) -> Result<Listing, QueryError> {
        let mut told = None;
        if query.filter.has_links() {
            let at = At { twin, snapshot: &snapshot, far: None };
            let filter = self.without_links(at, &query.filter).await?;
            told = Some(EntityQuery { filter, ..query.clone() });
        }
        let query = told.as_ref().unwrap_or(query);
        let (asked, found) = self.find(twin, &snapshot, query).await?;
        Ok(Listing::new(snapshot, query, &asked, found))
    }

    /// The same condition in terms of the ids of linked entities.
    pub(crate) fn without_links<'a>(
        self: &'a Arc<Self>,
        at: At<'a>,
        filter: &'a Filter,
    ) -> Found<'a> {
        Box::pin(async move {
            Ok(match filter {
                Filter::And(parts) => Filter::And(self.all(at, parts).await?),
                Filter::Or(parts) => Filter::Or(self.all(at, parts).await?),
                Filter::Not(part) => Filter::Not(Box::new(self.without_links(at, part).await?)),
                Filter::Link(Link { relationship, target: LinkTarget::Matching(inner) }) => {
                    let inner = self.without_links(at, inner).await?;
                    leading_to(relationship.clone(), self.ids(at, inner).await?)
                }
                other => other.clone(),
            })
        })
    }

    async fn all(
        self: &Arc<Self>,
        at: At<'_>,
        parts: &[Filter],
    ) -> Result<Vec<Filter>, QueryError> {
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            all.push(self.without_links(at, part).await?);
        }
        Ok(all)
    }

    async fn ids(
        self: &Arc<Self>,
        At { twin, snapshot, far }: At<'_>,
        filter: Filter,
    ) -> Result<HashSet<Box<str>>, QueryError> {
        let completed = match far {
            Some(caller) => self.completed_by(caller, snapshot, &filter).await?,
            None => None,
        };
        let page = PageRequest { limit: MOST, start: PageStart::Offset(0) };
        let query = EntityQuery { filter, order: Order::default(), page, count: false };
        let page = self.answer(twin, completed.as_ref().unwrap_or(snapshot), &query).await?;
        if page.has_more {
            return Err(QueryError::TooManyLinked(MOST));
        }
        Ok(page.entities.iter().map(|record| record.view().id().into()).collect())
    }
}

/// Where linked entities are looked for.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) twin: &'a Arc<Twin>,
    pub(crate) snapshot: &'a Snapshot,
    /// Whose call reaches context sources, if it does.
    pub(crate) far: Option<&'a Caller>,
}

fn leading_to(relationship: cardo_model::Iri, ids: HashSet<Box<str>>) -> Filter {
    if ids.is_empty() {
        return Filter::False;
    }
    if ids.len() > FEW {
        return Filter::Link(Link { relationship, target: LinkTarget::Entities(Arc::new(ids)) });
    }
    // Only relationships lead anywhere, but a text may equal an id: the link decides.
    let literals = ids.iter().map(|id| Literal::Text(id.clone())).collect();
    let by_value = Filter::Compare(Comparison {
        path: Path::of_attribute(relationship.clone()),
        operator: Operator::Equal,
        operand: Operand::List(literals),
    });
    by_value.and(Filter::Link(Link { relationship, target: LinkTarget::Entities(Arc::new(ids)) }))
}

/// Conditions on linked entities for one entity by itself: it is looked where its relationships lead,
/// as often as that is allowed; what is not looked at does not meet them.
pub(crate) struct Looks(usize);

impl Default for Looks {
    fn default() -> Self {
        Self(LOOKS)
    }
}

impl Looks {
    /// Whether an entity meets a condition, with others as they are in the snapshot.
    pub(crate) fn meets(&mut self, snapshot: &Snapshot, filter: &Filter, record: &Record) -> bool {
        match filter {
            Filter::And(parts) => parts.iter().all(|part| self.meets(snapshot, part, record)),
            Filter::Or(parts) => parts.iter().any(|part| self.meets(snapshot, part, record)),
            Filter::Not(part) => !self.meets(snapshot, part, record),
            Filter::Link(Link { relationship, target: LinkTarget::Matching(inner) }) => {
                let name = snapshot.names.id_or_unknown(relationship.as_str());
                let Some(attribute) = record.view().attribute(name) else { return false };
                attribute.instances().any(|instance| {
                    let is_link =
                        matches!(instance.kind(), Kind::Relationship | Kind::ListRelationship);
                    // URIs hold no quotes, so those in JSON are their ends.
                    let mut ids = instance.value().split('"').skip(1).step_by(2);
                    is_link && ids.any(|id| self.leads(snapshot, inner, id))
                })
            }
            own => {
                // The record is what the caller may see of it, which needs no second look.
                let mut by_id = |name: &Iri| snapshot.names.id_or_unknown(name.as_str());
                evaluate(&own.map_names(&mut by_id), &record.view())
            }
        }
    }

    fn leads(&mut self, snapshot: &Snapshot, filter: &Filter, id: &str) -> bool {
        let Some(left) = self.0.checked_sub(1) else { return false };
        self.0 = left;
        snapshot.retrieve(id).is_some_and(|linked| self.meets(snapshot, filter, &linked))
    }
}
