//! How entities are represented: what retrieval and queries have in common (clauses 6.3.7, 6.3.11,
//! 4.15, 4.21, 4.5.23).

use std::collections::HashSet;
use std::sync::Arc;

use cardo_http::Params;
use cardo_jsonld::Context;
use cardo_model::{Iri, Names};

use super::projection::{Projection, named, projection};
use super::{ProjectionText, dataset_ids};
use crate::face::Face;
use crate::fault::Fault;
use crate::options::NgsildLimits;
use crate::represent::{
    Datasets, Format, InvalidLanguages, Join, JoinStyle, Languages, Members, Naming, Shape,
    Special, Version,
};
use crate::request::Ask;

/// The texts that say how entities are represented.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShapeText<'a> {
    pub(crate) projection: ProjectionText<'a>,
    pub(crate) datasets: Option<&'a str>,
    pub(crate) lang: Option<&'a str>,
    pub(crate) join: Option<&'a str>,
    pub(crate) join_level: Option<&'a str>,
    pub(crate) contained_by: Option<&'a str>,
}

impl<'a> ShapeText<'a> {
    /// Those in the query string.
    pub(crate) fn of(params: &'a Params<'_>) -> Self {
        Self {
            projection: ProjectionText::of(params),
            datasets: params.get("datasetId"),
            lang: params.get("lang"),
            join: params.get("join"),
            join_level: params.get("joinLevel"),
            contained_by: params.get("containedBy"),
        }
    }

    /// Gives the names their ids where context sources may have what the twin has not met yet.
    pub(crate) async fn learn(
        &self,
        face: &Face,
        ask: &Ask<'_>,
        naming: &Naming,
    ) -> Result<(), Fault> {
        if ask.caller.reach.is_far() {
            let names = named(self.projection, naming.context(), face.options.limits.join_levels)?;
            face.engine.learn(&names).await?;
        }
        Ok(())
    }

    /// The shape of the answer, and the attributes of `attrs`, of which an entity needs one.
    pub(crate) fn shape(
        &self,
        face: &Face,
        ask: &Ask<'_>,
        naming: &Naming,
        form: (Format, bool),
    ) -> Result<(Shape, Option<Vec<Iri>>), Fault> {
        let version = ask.version().unwrap_or_default();
        let names = face.engine.names();
        self.shape_in(&face.options.limits, naming.context(), names, version, form)
    }

    /// The same by a context and a version of the specification.
    pub(crate) fn shape_in(
        &self,
        limits: &NgsildLimits,
        context: &Context,
        names: &Names,
        version: Version,
        (format, sys_attrs): (Format, bool),
    ) -> Result<(Shape, Option<Vec<Iri>>), Fault> {
        let join = self.join(limits)?.map(Arc::new);
        let levels = join.as_ref().map_or(0, |join| join.levels);
        let (projection, attrs) = projection(self.projection, context, names, levels)?;
        let lang = self.lang.map(str::parse::<Languages>).transpose()?;
        let is_plain = lang.is_none() && join.is_none() && version == Version::NEWEST;
        let special = Special { lang, version, join, ..Special::default() };
        let shape = Shape { format, sys_attrs, ..Shape::default() };
        let mut shape = if is_plain {
            Shape { members: projection.members, ..shape }
        } else {
            special_shape(&shape, &special, projection)
        };
        shape.datasets = dataset_ids(self.datasets)?;
        Ok((shape, attrs))
    }

    fn join(&self, limits: &NgsildLimits) -> Result<Option<Join>, Fault> {
        let levels = match self.join_level {
            None => 1,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|levels| (1..=limits.join_levels).contains(levels))
                .ok_or_else(|| {
                    Fault::bad_data(format!(
                        "joinLevel={text:?} is not a number from 1 to {}",
                        limits.join_levels
                    ))
                })?,
        };
        let ids = self.contained_by.unwrap_or("").split(',').map(str::trim);
        let ids = ids.filter(|id| !id.is_empty()).map(|id| Iri::new(id.to_owned()));
        let known: HashSet<String> =
            ids.map(|id| Ok(id?.as_str().to_owned())).collect::<Result<_, Fault>>()?;
        let style = match self.join {
            None | Some("@none") => return Ok(None),
            Some("inline") => JoinStyle::Inline,
            Some("flat") => JoinStyle::Flat,
            Some(other) => {
                return Err(Fault::bad_data(format!(
                    "join={other:?} is not inline, flat or @none"
                )));
            }
        };
        Ok(Some(Join::new(style, levels, known, limits.linked)))
    }
}

fn special_shape(base: &Shape, special: &Special, projection: Projection) -> Shape {
    let whole = Shape {
        members: Members::All,
        datasets: Datasets::All,
        special: Some(Arc::new(special.clone())),
        ..base.clone()
    };
    let linked = projection.linked.into_iter();
    let linked = linked.map(|(name, below)| (name, special_shape(base, special, below))).collect();
    let special = Special { linked, others: Some(Arc::new(whole)), ..special.clone() };
    Shape { members: projection.members, special: Some(Arc::new(special)), ..base.clone() }
}

impl From<InvalidLanguages> for Fault {
    fn from(error: InvalidLanguages) -> Self {
        Self::bad_data(error.to_string())
    }
}
