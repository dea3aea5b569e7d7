use cardo_engine::{Looking, Match, Mode, Registrations, Wanted, WantedEntities};
use cardo_jsonld::Context;
use cardo_model::{Iri, Timestamp};
use cardo_query::{
    Filter, QOptions, TemporalParameters, TemporalRange, parse_geo_query, parse_id_pattern,
    parse_ids, parse_q, parse_scope_q, parse_temporal, parse_type_selection,
};
use serde_json::{Map, Value};

use super::SourceNames;
use crate::contexts::Place;
use crate::face::Face;
use crate::fault::Fault;
use crate::operations::ContextNames;
use crate::subscriptions::{Stored, Subscription, text};

type Members = Map<String, Value>;

/// A subscription to registrations, ready to be matched (clause 5.11.2.4).
pub(crate) struct Subscribed {
    pub(crate) subscription: Subscription,
    wanted: Wanted,
}

/// Members that say which sources are meant, and nothing of entities.
const OF_SOURCES: [&str; 2] = ["temporalQ", "csf"];

impl Subscribed {
    /// What a subscription means. Its contexts are fetched where they are not known.
    pub(crate) async fn compile(
        face: &Face,
        stored: &Stored,
        place: Place<'_>,
    ) -> Result<Self, Fault> {
        let (contexts, limits, names) = (&face.contexts, &face.options.limits, face.engine.names());
        let mut common = stored.clone();
        common.members.retain(|name, _| !OF_SOURCES.contains(&name.as_str()));
        let subscription = common.compile(contexts, place, limits, names).await?;
        let source = match text(&stored.members, "csf")? {
            None => None,
            Some(csf) => {
                let context = contexts.context(place, &stored.q_context).await?;
                Some(parse_q(csf, &SourceNames(ContextNames(&context)), QOptions::default())?)
            }
        };
        let wanted = Wanted { source, ..wanted(&stored.members, &subscription)? };
        Ok(Self { subscription, wanted })
    }

    /// The registrations of sources that may have something of it (clause 5.8.1.4), but those that it
    /// has passed.
    pub(crate) fn sources(
        &self,
        registrations: &Registrations,
        now: Timestamp,
        encountered: Vec<Box<str>>,
    ) -> Vec<Match> {
        let looking = Looking::ForInformation;
        let wanted = Wanted { now, looking, encountered, time: None, ..self.wanted.clone() };
        let mut found = registrations.matching(&wanted);
        found.retain(|found| found.registration.mode != Mode::Auxiliary);
        found
    }

    /// The registrations that match now.
    pub(crate) fn matching(&self, registrations: &Registrations, now: Timestamp) -> Vec<Match> {
        registrations.matching(&Wanted { now, ..self.wanted.clone() })
    }
}

fn wanted(members: &Members, subscription: &Subscription) -> Result<Wanted, Fault> {
    let core = Context::core();
    let names = ContextNames(&core);
    let selectors = members.get("entities").and_then(Value::as_array);
    let entities = selectors.into_iter().flatten().map(|selector| selected(selector, names));
    let geo = match members.get("geoQ") {
        None => None,
        Some(geo) => match parse_geo_query(&geo.to_string(), &names)? {
            Filter::Geo(condition) => Some(condition),
            _ => None,
        },
    };
    Ok(Wanted {
        entities: entities.collect::<Result<_, _>>()?,
        attributes: attributes(members, subscription, names)?,
        geo,
        scope: text(members, "scopeQ")?.map(parse_scope_q).transpose()?,
        time: time(members)?,
        ..Wanted::registrations(Timestamp::now())
    })
}

fn selected(selector: &Value, names: ContextNames<'_>) -> Result<WantedEntities, Fault> {
    let member = |name: &str| selector.get(name).and_then(Value::as_str);
    let ids: Vec<&str> = match selector.get("id") {
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect(),
        _ => member("id").into_iter().collect(),
    };
    let mut wanted = WantedEntities::default();
    if let Some(types) = member("type") {
        wanted.types = Some(parse_type_selection(types, &names)?);
    }
    for id in &ids {
        if let Filter::Ids(more) = parse_ids(id)? {
            wanted.ids.extend(more);
        }
    }
    // Table 5.2.33-1: an id takes precedence over a pattern.
    if let (Some(pattern), true) = (member("idPattern"), ids.is_empty())
        && let Filter::IdPattern(pattern) = parse_id_pattern(pattern)?
    {
        wanted.id_pattern = Some(pattern);
    }
    Ok(wanted)
}

/// The attributes by which sources are found: where either list is missing, all are.
fn attributes(
    members: &Members,
    subscription: &Subscription,
    names: ContextNames<'_>,
) -> Result<Vec<Iri>, Fault> {
    let notified = members.get("notification").and_then(|params| params.get("attributes"));
    let notified = notified.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if notified.is_empty() || subscription.watched.is_empty() {
        return Ok(Vec::new());
    }
    let mut attributes = subscription.watched.clone();
    for name in notified.iter().filter_map(Value::as_str) {
        let name = names.name(name)?;
        if !attributes.contains(&name) {
            attributes.push(name);
        }
    }
    Ok(attributes)
}

/// The temporal query (clause 5.2.21).
fn time(members: &Members) -> Result<Option<TemporalRange>, Fault> {
    let query = match members.get("temporalQ") {
        None => return Ok(None),
        Some(Value::Object(query)) => query,
        Some(_) => return Err(Fault::bad_data("temporalQ: not an object")),
    };
    let known = ["timerel", "timeAt", "endTimeAt", "timeproperty"];
    if let Some(name) = query.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Fault::bad_data(format!("temporalQ: {name:?} is not a member of it")));
    }
    let range = parse_temporal(TemporalParameters {
        relation: text(query, "timerel")?,
        time_at: text(query, "timeAt")?,
        end_time_at: text(query, "endTimeAt")?,
        property: text(query, "timeproperty")?,
    })?;
    range.map(Some).ok_or_else(|| Fault::bad_data("temporalQ: timerel is missing"))
}
