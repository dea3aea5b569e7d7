use std::sync::Arc;

use cardo_engine::{
    Aggregation, AskedBy, AskedSources, AttributeAggregates, Duration, EntityHistory,
    HistoryRequest, Method, ScopeChange,
};
use cardo_http::Params;
use cardo_jsonld::Context;
use cardo_model::{EntityId, Iri, Names, Timestamp};
use cardo_query::{
    TemporalParameters, TemporalProperty, TemporalRange, TimeRelation, parse_temporal,
};

use crate::face::Face;
use crate::fault::{Fault, NgsildError};
use crate::federation::datasets_of;
use crate::operations::query::Written;
use crate::operations::{ContextNames, ProjectionText, ShapeText, dataset_ids, members};
use crate::represent::{
    Datasets, EntityWriter, Format, Languages, Naming, Shape, Special, TemporalForm,
    TemporalWriter, Version,
};
use crate::request::Ask;

/// Instances that one answer aggregates at the most.
const MOST_AGGREGATED: usize = 1_000_000;

/// Periods that one answer tells of at the most, each of each attribute and method counted.
const MOST_PERIODS: u64 = 500_000;

/// The parameters that say what is wanted of histories.
pub(super) const PARAMS: [&str; 15] = [
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
    "aggrMethods",
    "aggrPeriodDuration",
    "datasetId",
    "lang",
    "local",
];

/// What is wanted of histories, as text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TemporalText<'a> {
    pub(super) projection: ProjectionText<'a>,
    pub(super) time: TemporalParameters<'a>,
    pub(super) last: Option<&'a str>,
    pub(super) methods: Option<&'a str>,
    pub(super) period: Option<&'a str>,
    pub(super) datasets: Option<&'a str>,
    pub(super) lang: Option<&'a str>,
    pub(super) options: Option<&'a str>,
    pub(super) format: Option<&'a str>,
    /// Whether methods alone ask for aggregates, as in a body, which names no format.
    pub(super) methods_suffice: bool,
}

impl<'a> TemporalText<'a> {
    pub(super) fn of(params: &'a Params<'_>) -> Self {
        Self {
            projection: ProjectionText::of(params),
            time: TemporalParameters {
                relation: params.get("timerel"),
                time_at: params.get("timeAt"),
                end_time_at: params.get("endTimeAt"),
                property: params.get("timeproperty"),
            },
            last: params.get("lastN"),
            methods: params.get("aggrMethods"),
            period: params.get("aggrPeriodDuration"),
            datasets: params.get("datasetId"),
            lang: params.get("lang"),
            options: params.get("options"),
            format: params.get("format"),
            methods_suffice: false,
        }
    }
}

impl TemporalText<'_> {
    /// Gives the names their ids where context sources may have what the twin has not met yet.
    pub(super) async fn learn(
        &self,
        face: &Face,
        ask: &Ask<'_>,
        naming: &Naming,
    ) -> Result<(), Fault> {
        let text = ShapeText { projection: self.projection, ..ShapeText::default() };
        text.learn(face, ask, naming).await
    }
}

/// What is asked of histories.
pub(super) struct Asked {
    pub(super) range: Option<TemporalRange>,
    property: TemporalProperty,
    last: Option<usize>,
    shape: Shape,
    form: Form,
    /// The attributes of `attrs`, or those that are picked; all where empty.
    pub(super) attributes: Vec<Iri>,
    /// Those of `omit`, which count for no limit.
    omitted: Vec<Iri>,
    /// Those of `attrs` alone.
    pub(super) attrs: Option<Vec<Iri>>,
}

enum Form {
    Normalized,
    Simplified,
    Aggregated { methods: Vec<Method>, period: Duration },
}

impl Asked {
    pub(super) fn read(
        face: &Face,
        ask: &Ask<'_>,
        text: &TemporalText<'_>,
        context: &Context,
    ) -> Result<Self, Fault> {
        let (name, sys_attrs) = format_of(text)?;
        let range = parse_temporal(text.time)?;
        let property = match (&range, text.time.property) {
            (Some(range), _) => range.property,
            (None, Some("createdAt")) => TemporalProperty::CreatedAt,
            (None, Some("modifiedAt")) => TemporalProperty::ModifiedAt,
            (None, Some("deletedAt")) => TemporalProperty::DeletedAt,
            (None, _) => TemporalProperty::ObservedAt,
        };
        let last = match text.last.map(str::parse::<usize>) {
            None => None,
            Some(Ok(last)) if last > 0 => Some(last),
            Some(_) => {
                let given = text.last.unwrap_or_default();
                return Err(Fault::bad_data(format!(
                    "lastN={given:?} is not a number of 1 or more"
                )));
            }
        };
        let form = match name {
            FormName::Normalized => Form::Normalized,
            FormName::Simplified => Form::Simplified,
            FormName::Aggregated => aggregated(text)?,
        };
        let (members, attrs) = members(text.projection, context, face.engine.names())?;
        let attributes = match &attrs {
            Some(attrs) => attrs.clone(),
            None => attributes_in(text.projection.pick, context)?,
        };
        let omitted = attributes_in(text.projection.omit, context)?;
        let format =
            if matches!(form, Form::Simplified) { Format::Simplified } else { Format::Normalized };
        let datasets = dataset_ids(text.datasets)?;
        let lang = text.lang.map(str::parse::<Languages>).transpose()?;
        let version = ask.version().unwrap_or_default();
        let is_plain = lang.is_none() && version == Version::NEWEST;
        let special = Special { lang, version, ..Special::default() };
        let special = (!is_plain).then(|| Arc::new(special));
        let shape = Shape { format, sys_attrs, members, datasets, special };
        Ok(Self { range, property, last, shape, form, attributes, omitted, attrs })
    }

    /// What context sources are to be told.
    pub(super) fn sources(&self, by: AskedBy, datasets: Option<&str>) -> AskedSources {
        AskedSources {
            attributes: self.attributes.clone(),
            datasets: datasets_of(datasets),
            time: self.range,
            last: self.last,
            by,
            ..AskedSources::default()
        }
    }

    /// What the engine is asked for of one entity.
    pub(super) fn request(&self, face: &Face, entity: EntityId) -> HistoryRequest {
        let is_aggregated = matches!(self.form, Form::Aggregated { .. });
        HistoryRequest {
            entity,
            attributes: self.attributes.clone(),
            omitted: self.omitted.clone(),
            datasets: match &self.shape.datasets {
                Datasets::All => None,
                Datasets::Only(ids) => Some(ids.clone()),
            },
            property: Some(self.property),
            from: self.range.as_ref().and_then(TemporalRange::start),
            until: self.range.as_ref().and_then(TemporalRange::end),
            last: self.last,
            limit: if is_aggregated { MOST_AGGREGATED } else { face.options.limits.history_rows },
        }
    }

    /// Whether an answer without instances is one about nothing.
    pub(super) fn is_narrow(&self) -> bool {
        self.range.is_some() || !self.attributes.is_empty() || self.shape.datasets != Datasets::All
    }

    /// Aggregates of a part of the values would be wrong.
    pub(super) fn check_whole(&self, is_cut: bool) -> Result<(), Fault> {
        if is_cut && matches!(self.form, Form::Aggregated { .. }) {
            let detail = format!(
                "the range of time holds more than the {MOST_AGGREGATED} instances that are \
                 aggregated; narrow it"
            );
            return Err(Fault::new(NgsildError::TooManyResults, detail));
        }
        Ok(())
    }

    /// Aggregates of each history, where they are asked for.
    pub(super) fn aggregates(
        &self,
        histories: &[EntityHistory],
    ) -> Result<Vec<Vec<AttributeAggregates>>, Fault> {
        let Form::Aggregated { methods, period } = &self.form else { return Ok(Vec::new()) };
        let aggregation = Aggregation {
            methods: methods.clone(),
            period: *period,
            from: self.range.as_ref().and_then(TemporalRange::start),
            until: self.range.as_ref().and_then(TemporalRange::end),
            property: self.property,
        };
        let mut all: Vec<Vec<AttributeAggregates>> =
            histories.iter().map(|history| aggregation.of(history)).collect();
        let series: usize = all.iter().flatten().map(|one| one.methods.len()).sum();
        let periods = aggregation.periods().unwrap_or(0).saturating_mul(series as u64);
        if periods > MOST_PERIODS {
            let detail = format!(
                "the answer would tell of {periods} periods, and {MOST_PERIODS} are the most; ask \
                 for longer ones, or narrow the range of time"
            );
            return Err(Fault::new(NgsildError::TooManyResults, detail));
        }
        all.iter_mut().flatten().for_each(|one| aggregation.complete(one));
        Ok(all)
    }

    /// Refuses an attribute that was asked for and that none of the methods is for (clause
    /// 5.7.4.4).
    pub(super) fn check_eligible(
        &self,
        names: &Names,
        aggregates: &[Vec<AttributeAggregates>],
    ) -> Result<(), Fault> {
        if self.attributes.is_empty() {
            return Ok(());
        }
        let Some(one) = aggregates.iter().flatten().find(|one| one.methods.is_empty()) else {
            return Ok(());
        };
        let name = names.name(one.name);
        let name = name.as_ref().map_or("", |name| name.as_str());
        Err(Fault::invalid(format!("none of aggrMethods is for the values of {name:?}")))
    }

    /// The lines of an answer with histories, each written where something is left of it.
    pub(super) fn write(
        &self,
        face: &Face,
        naming: &Naming,
        (histories, aggregates): (&[EntityHistory], &[Vec<AttributeAggregates>]),
        in_body: bool,
        in_array: bool,
    ) -> Written {
        let rows: usize = histories.iter().map(|history| history.rows.len()).sum();
        let capacity = if aggregates.is_empty() { 256 + rows * 160 } else { 4_096 };
        let write = |shape: &Shape| {
            naming.write(face.engine.names(), capacity, |out, table| {
                let context = naming.context();
                let mut writer = EntityWriter::new(out, table, context, shape);
                if in_array {
                    writer.out.push(b'[');
                }
                for (place, history) in histories.iter().enumerate() {
                    let form = match &self.form {
                        Form::Normalized => TemporalForm::Normalized,
                        Form::Simplified => TemporalForm::Simplified(self.property),
                        Form::Aggregated { .. } => TemporalForm::Aggregated(&aggregates[place]),
                    };
                    let scopes = self.scopes(history);
                    let mut temporal = TemporalWriter { writer: &mut writer, form };
                    if temporal.entity(history, &scopes, in_body) && in_array {
                        writer.out.push(b',');
                    }
                }
                if in_array {
                    writer.close(b']');
                }
            })
        };
        let body = write(&self.shape);
        let is_altered = self.shape.newest().is_some_and(|newest| write(&newest) != body);
        Written { body, is_altered }
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
    pub(super) fn content_range(&self, histories: &[EntityHistory]) -> Option<String> {
        let rows = histories.iter().flat_map(|history| &history.rows);
        let moments: Vec<Timestamp> =
            rows.map(|row| cardo_engine::moment(row, self.property).unwrap_or(row.time)).collect();
        let (first, last) = (*moments.iter().min()?, *moments.iter().max()?);
        let relation = self.range.as_ref().map(|range| range.relation);
        if let Some(size) = self.last {
            let start = match relation {
                Some(TimeRelation::Before(end) | TimeRelation::Between(_, end)) => end,
                Some(TimeRelation::After(_)) | None => last,
            };
            return Some(format!("DateTime {start}-{first}/{size}"));
        }
        let start = match relation {
            Some(TimeRelation::After(start) | TimeRelation::Between(start, _)) => start,
            Some(TimeRelation::Before(_)) | None => first,
        };
        Some(format!("DateTime {start}-{last}/*"))
    }
}

/// The attributes among members that are named.
fn attributes_in(names: Option<&str>, context: &Context) -> Result<Vec<Iri>, Fault> {
    let names = names.unwrap_or("").split([',', '|']).map(str::trim);
    let attributes =
        names.filter(|name| !matches!(*name, "" | "id" | "@id" | "type" | "@type" | "scope"));
    Ok(attributes.map(|name| ContextNames(context).name(name)).collect::<Result<_, _>>()?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FormName {
    Normalized,
    Simplified,
    Aggregated,
}

/// `format` and `options` of temporal operations (clause 6.3.12).
fn format_of(text: &TemporalText<'_>) -> Result<(FormName, bool), Fault> {
    let mut names = Vec::new();
    let mut sys_attrs = false;
    for option in text.options.unwrap_or("").split(',').map(str::trim) {
        match option {
            "" => {}
            "sysAttrs" => sys_attrs = true,
            "temporalValues" => names.push(FormName::Simplified),
            "aggregatedValues" => names.push(FormName::Aggregated),
            other => {
                return Err(Fault::invalid(format!(
                    "{other:?} is not an option of this operation"
                )));
            }
        }
    }
    let by_methods = text.methods_suffice && text.methods.is_some();
    let name = match text.format {
        Some("temporalValues") => FormName::Simplified,
        Some("aggregatedValues") => FormName::Aggregated,
        Some(other) => {
            return Err(Fault::invalid(format!("{other:?} is not a format of this operation")));
        }
        None if names.contains(&FormName::Simplified) && names.contains(&FormName::Aggregated) => {
            let why = "temporalValues and aggregatedValues exclude each other";
            return Err(Fault::invalid(why));
        }
        None if by_methods => FormName::Aggregated,
        None => names.first().copied().unwrap_or(FormName::Normalized),
    };
    Ok((name, sys_attrs))
}

/// `aggrMethods` and `aggrPeriodDuration` (clause 4.5.19.1).
fn aggregated(text: &TemporalText<'_>) -> Result<Form, Fault> {
    let missing = || Fault::bad_data("aggrMethods is missing, which aggregatedValues needs");
    let mut methods = Vec::new();
    for name in text.methods.ok_or_else(missing)?.split(',').map(str::trim) {
        let method = name.parse::<Method>().map_err(|()| {
            let all = Method::ALL.map(Method::as_str).join(", ");
            Fault::bad_data(format!("aggrMethods: {name:?} is not one of {all}"))
        })?;
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    let period = match text.period {
        None => Duration::default(),
        Some(period) => Duration::parse(period)
            .map_err(|error| Fault::bad_data(format!("aggrPeriodDuration: {error}")))?,
    };
    Ok(Form::Aggregated { methods, period })
}
