use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_RANGE;
use axum::http::{HeaderValue, Response, StatusCode};
use cardo_engine::{EntityHistory, HistoryRequest, ScopeChange};
use cardo_http::Params;
use cardo_model::{EntityId, Iri};
use cardo_query::{
    TemporalParameters, TemporalProperty, TemporalRange, TimeRelation, parse_temporal,
};

use super::{ProjectionText, dataset_ids, members};
use crate::face::Face;
use crate::fault::Fault;
use crate::represent::{EntityWriter, Format, Point, Shape, TemporalWriter};
use crate::request::{Ask, JSON_TYPES, flag};
use crate::respond::{answer, context_in_body};

const PARAMS: [&str; 12] = [
    "attrs",
    "pick",
    "omit",
    "options",
    "format",
    "timerel",
    "timeAt",
    "endTimeAt",
    "timeproperty",
    "lastN",
    "datasetId",
    "local",
];
const UNBUILT: [&str; 3] = ["lang", "aggrMethods", "aggrPeriodDuration"];

/// What is asked of a history.
struct Asked {
    range: Option<TemporalRange>,
    property: TemporalProperty,
    last: Option<usize>,
    shape: Shape,
    is_simplified: bool,
    attributes: Vec<Iri>,
}

/// Retrieve the temporal evolution of an entity (clause 5.7.3).
pub(crate) async fn retrieve(
    face: &Arc<Face>,
    ask: &Ask<'_>,
    _: Body,
) -> Result<Response<Body>, Fault> {
    let params = ask.params(&PARAMS, &UNBUILT)?;
    let media = ask.media(&JSON_TYPES)?;
    flag(&params, "local")?;
    let naming = face.link_naming(ask).await?;
    let id = ask.id(2)?;
    let asked = Asked::read(face, &params, naming.context())?;
    let snapshot = face.snapshot(ask).await?;
    let history = face.engine.history(&ask.caller, &asked.request(face, id.clone())).await?;
    let missing =
        || Fault::not_found(format!("nothing is known of entity {id} in this range of time"));
    let history = history.ok_or_else(missing)?;
    let head = history.current.as_ref().or(history.last_seen.as_ref()).ok_or_else(missing)?;
    let deleted_at = history.deleted_at.last().filter(|_| history.current.is_none()).copied();
    let points = asked.points(&history);
    if points.is_empty() && asked.range.is_some() {
        return Err(missing());
    }
    let scopes = asked.scopes(&history);
    let in_body = context_in_body(ask, media);
    let body = naming.write(face.engine.names(), 256 + points.len() * 160, |out, table| {
        let mut writer = EntityWriter::new(out, table, naming.context(), &asked.shape);
        let mut writer = TemporalWriter {
            writer: &mut writer,
            is_simplified: asked.is_simplified,
            property: asked.property,
        };
        writer.entity(head, deleted_at, &scopes, &points, in_body);
    });
    if !history.is_cut {
        return Ok(face.answer_tagged(ask, media, &naming, body, snapshot.revision()));
    }
    let mut response = answer(ask, media, &naming, body, snapshot.revision());
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    response.headers_mut().extend(asked.content_range(&points).map(|range| (CONTENT_RANGE, range)));
    Ok(response)
}

impl Asked {
    fn read(
        face: &Face,
        params: &Params<'_>,
        context: &cardo_jsonld::Context,
    ) -> Result<Self, Fault> {
        let (is_simplified, sys_attrs) = temporal_format(params)?;
        let range = parse_temporal(TemporalParameters {
            relation: params.get("timerel"),
            time_at: params.get("timeAt"),
            end_time_at: params.get("endTimeAt"),
            property: params.get("timeproperty"),
        })?;
        let property = match (&range, params.get("timeproperty")) {
            (Some(range), _) => range.property,
            (None, Some("createdAt")) => TemporalProperty::CreatedAt,
            (None, Some("modifiedAt")) => TemporalProperty::ModifiedAt,
            (None, Some("deletedAt")) => TemporalProperty::DeletedAt,
            (None, Some(_)) => TemporalProperty::ObservedAt,
            (None, None) => TemporalProperty::default(),
        };
        let last = match params.get("lastN") {
            None => None,
            Some(text) => match text.parse::<usize>() {
                Ok(last) if last > 0 => Some(last),
                _ => {
                    return Err(Fault::bad_data(format!(
                        "lastN={text:?} is not a number of 1 or more"
                    )));
                }
            },
        };
        let text = ProjectionText {
            attrs: params.get("attrs"),
            pick: params.get("pick"),
            omit: params.get("omit"),
        };
        let (members, attrs) = members(text, context, face.engine.names())?;
        let shape = Shape {
            format: Format::Normalized,
            sys_attrs,
            members,
            datasets: dataset_ids(params.get("datasetId"))?,
            special: None,
        };
        Ok(Self {
            range,
            property,
            last,
            shape,
            is_simplified,
            attributes: attrs.unwrap_or_default(),
        })
    }

    /// By the time of observation the store selects; by other times this face does.
    fn request(&self, face: &Face, entity: EntityId) -> HistoryRequest {
        let by_time = self.property == TemporalProperty::ObservedAt;
        let range = self.range.as_ref().filter(|_| by_time);
        HistoryRequest {
            entity,
            attributes: self.attributes.clone(),
            from: range.and_then(TemporalRange::start),
            until: range.and_then(TemporalRange::end),
            last: self.last.filter(|_| by_time),
            limit: face.options.limits.history_rows,
        }
    }

    /// The points that the answer shows.
    fn points<'a>(&self, history: &'a EntityHistory) -> Vec<Point<'a>> {
        let mut points = Point::all(&history.rows);
        points.retain(|point| {
            let in_range = match &self.range {
                Some(range) => {
                    point.moment(self.property).is_some_and(|moment| range.contains(moment))
                }
                None => {
                    self.property != TemporalProperty::DeletedAt
                        || point.moment(self.property).is_some()
                }
            };
            in_range
                && self.shape.members.has_attribute(point.name)
                && self.shape.datasets.has(point.dataset_id())
        });
        if let Some(last) = self.last {
            keep_last(&mut points, last);
        }
        points
    }

    /// The scopes that were valid at some time of the range: from when they were set until they were
    /// changed (clause 4.18 and example C.5.16).
    fn scopes<'a>(&self, history: &'a EntityHistory) -> Vec<&'a ScopeChange> {
        let changes = &history.scopes;
        let mut shown = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            let is_removal = change.scopes.is_empty();
            let until = changes.get(place + 1).map(|next| next.since);
            let in_range = match &self.range {
                Some(range) if is_removal => range.contains(change.since),
                Some(range) => {
                    range.end().is_none_or(|end| change.since < end)
                        && until.is_none_or(|until| range.start().is_none_or(|start| until > start))
                }
                None => true,
            };
            if in_range && (is_removal || self.property != TemporalProperty::DeletedAt) {
                shown.push(change);
            }
        }
        let last = self.last.unwrap_or(usize::MAX);
        shown.split_off(shown.len().saturating_sub(last))
    }

    /// Clause 6.3.10: which range of time a partial answer shows.
    fn content_range(&self, points: &[Point<'_>]) -> Option<HeaderValue> {
        let first = points.iter().map(|point| point.row.time).min()?;
        let last = points.iter().map(|point| point.row.time).max()?;
        let relation = self.range.as_ref().map(|range| range.relation);
        let text = if let Some(size) = self.last {
            let start = match relation {
                Some(TimeRelation::Before(end) | TimeRelation::Between(_, end)) => end,
                Some(TimeRelation::After(_)) | None => last,
            };
            format!("DateTime {start}-{first}/{size}")
        } else {
            let start = match relation {
                Some(TimeRelation::After(start) | TimeRelation::Between(start, _)) => start,
                Some(TimeRelation::Before(_)) | None => first,
            };
            format!("DateTime {start}-{last}/*")
        };
        HeaderValue::try_from(text).ok()
    }
}

/// Only the last so many points of each attribute and dataset.
fn keep_last(points: &mut Vec<Point<'_>>, last: usize) {
    let mut kept = vec![true; points.len()];
    for (place, point) in points.iter().enumerate() {
        let behind = points[place + 1..]
            .iter()
            .take_while(|other| other.name == point.name)
            .filter(|other| other.dataset_id() == point.dataset_id())
            .take(last)
            .count();
        kept[place] = behind < last;
    }
    let mut kept = kept.into_iter();
    points.retain(|_| kept.next().unwrap_or(true));
}

/// `format` and `options` of temporal operations (clause 6.3.12).
fn temporal_format(params: &Params<'_>) -> Result<(bool, bool), Fault> {
    let (mut is_simplified, mut sys_attrs) = (false, false);
    let mut read = |name: &str| match name {
        "" => Ok(()),
        "temporalValues" => {
            is_simplified = true;
            Ok(())
        }
        "aggregatedValues" => Err(Fault::not_implemented("aggregatedValues is not implemented")),
        "sysAttrs" => {
            sys_attrs = true;
            Ok(())
        }
        other => Err(Fault::invalid(format!("{other:?} is not an option of this operation"))),
    };
    params.get("options").unwrap_or("").split(',').map(str::trim).try_for_each(&mut read)?;
    if let Some(format) = params.get("format") {
        if format == "sysAttrs" || format.is_empty() {
            return Err(Fault::invalid(format!("{format:?} is not a format of this operation")));
        }
        read(format)?;
    }
    Ok((is_simplified, sys_attrs))
}
